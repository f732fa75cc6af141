import type { AuditPage } from '../../../shared/control/network-views.ts'
import type { Anchors, Count, DeadGroup, Explanation, GapView, IntentPage, IntentView } from '../../../shared/control/intent-views.ts'
import type { KeyImpact, KeyView } from '../../../shared/control/key-views.ts'
import type { Overview as OverviewView, Statistics } from '../../../shared/control/overview-views.ts'
import type { NamesView, UnservedGoal, WorkerView } from '../../../shared/control/worker-views.ts'
import { readGaps, totalOf } from '../gaps.ts'
import { findById, inUnixTime, type IntentRow } from '../intents/intent.ts'
import type { Connection, Statement } from '../store/database.ts'
import type { CheckedFile } from '../transfer/export-file.ts'
import { Exporting, type ExportCursor, type ExportPage, type ExportStart } from '../transfer/exporting.ts'
import { checkImport, readImport, type ImportFile } from '../transfer/import-file.ts'
import type { ImportPage, ImportPosition } from '../transfer/records.ts'
import { AdminPages, type DeadLetter, type DeadLetterDetail, type Metrics, type Overview } from './admin-pages.ts'
import { readAudit } from './audit.ts'
import { deadGroups } from './dead-groups.ts'
import type { ExplainContext } from './explain-case.ts'
import { explain } from './explain.ts'
import { toView } from './intent-views.ts'
import { readKeyImpact, readKeys } from './keys.ts'
import { Lists, type AnchorsQuestion, type CountQuestion, type IdsPage, type IdsQuestion, type ListQuestion } from './lists.ts'
import { readNames } from './names.ts'
import { statistics, type StatisticsRange } from './statistics.ts'
import { readSummary, type SummaryContext } from './summary.ts'
import { readTimeFacts, type TimeFacts } from './time-facts.ts'
import type { Share } from './turns.ts'
import { unserved } from './unserved.ts'
import { waitingLanes } from './waiting.ts'
import { readWorkforce } from './workforce.ts'

export type { Metrics, Overview }

/** By the index, which has each status by itself. */
export const OLDEST_FINISHED = `
  SELECT min(oldest) FROM (
    SELECT min(finished_at) AS oldest FROM intents INDEXED BY intents_finished WHERE status >= 2 AND status = 2
    UNION ALL SELECT min(finished_at) FROM intents INDEXED BY intents_finished WHERE status >= 2 AND status = 3
    UNION ALL SELECT min(finished_at) FROM intents INDEXED BY intents_finished WHERE status >= 2 AND status = 4)`

/** Gaps that an intent tells of. */
const GAPS_SHOWN = 50
/** Gaps that a list tells of. */
const MAX_GAPS = 1_000

export interface WorkersAnswer {
  readonly workers: readonly WorkerView[]
  readonly unserved: readonly UnservedGoal[]
}

/**
 * Operators' questions. They run on a read-only connection in a thread of their own and never hold up a worker. Those
 * that may look at many rows take a share of the thread's time as their last argument. `now` is Unix time in seconds.
 */
export class Queries {
  readonly #db: Connection
  readonly #pages: AdminPages
  readonly #lists: Lists
  readonly #exporting: Exporting
  readonly #find: Statement
  readonly #oldestFinished: Statement

  constructor(db: Connection) {
    this.#db = db
    this.#pages = new AdminPages(db)
    this.#lists = new Lists(db)
    this.#exporting = new Exporting(db)
    this.#find = db.prepare('SELECT * FROM intents WHERE n = ?')
    this.#oldestFinished = db.prepare(OLDEST_FINISHED).pluck()
  }

  metrics(): Metrics {
    return this.#pages.metrics()
  }

  deadLetters(): DeadLetter[] {
    return this.#pages.deadLetters()
  }

  /** When the oldest intent was finished that is kept, in Unix seconds; null when there is none. */
  oldestFinished(): number | null {
    return this.#oldestFinished.get() as number | null
  }

  /** undefined when there is no dead letter with that id. */
  deadLetter(id: string): DeadLetterDetail | undefined {
    return this.#pages.deadLetter(id)
  }

  /** What the dashboard of SPEC 8.1 shows; the interface asks for a `summary`. */
  overview(): Overview {
    return this.#pages.overview()
  }

  /** A page of the intents that a filter matches. Throws `invalid_request` for a bad filter or cursor, like the next three. */
  list(question: ListQuestion, now: number, share: Share): Promise<IntentPage> {
    return this.#lists.list(question, now, share)
  }

  /** Where the pages of such a list begin. */
  anchors(question: AnchorsQuestion, now: number, share: Share): Promise<Anchors> {
    return this.#lists.anchors(question, now, share)
  }

  /** How many intents a filter matches. */
  count(question: CountQuestion, now: number, share: Share): Promise<Count> {
    return this.#lists.count(question, now, share)
  }

  /** The ids that a filter matches, for an action on all of them. */
  collectIds(question: IdsQuestion, now: number, share: Share): Promise<IdsPage> {
    return this.#lists.ids(question, now, share)
  }

  /** All about an intent; undefined when there is none with that id. */
  detail(id: string): IntentView | undefined {
    const row = this.#row(id)
    return row && toView(row, readGaps(this.#db, row.created_at, GAPS_SHOWN))
  }

  /** Why an intent is not being worked on; undefined when there is none with that id. */
  explain(id: string, context: ExplainContext): Explanation | undefined {
    const row = this.#row(id)
    return row && explain(this.#db, id, row, context)
  }

  deadGroups(share: Share): Promise<DeadGroup[]> {
    return deadGroups(this.#db, share)
  }

  names(): NamesView {
    return readNames(this.#db)
  }

  /** The workers, last seen first, and the goals that wait for one. */
  async workers(now: number, share: Share): Promise<WorkersAnswer> {
    const lanes = await waitingLanes(this.#db, now, share)
    return share.turn(() => {
      const workforce = readWorkforce(this.#db, now)
      return { workers: workforce.all, unserved: unserved(this.#db, lanes, workforce).goals }
    })
  }

  keys(): KeyView[] {
    return readKeys(this.#db)
  }

  keyImpact(id: string): KeyImpact {
    return readKeyImpact(this.#db, id)
  }

  /** The trail behind an entry, or from its end. */
  audit(before: number | undefined, limit: number): AuditPage {
    return readAudit(this.#db, before, limit)
  }

  statistics(range: StatisticsRange, now: number): Statistics {
    return statistics(this.#db, range, now)
  }

  /** The newest gaps that were over after a moment, oldest first. */
  gaps(after: number): GapView[] {
    return readGaps(this.#db, after, MAX_GAPS)
  }

  /** What the rows tell of the clock. */
  timeFacts(): TimeFacts {
    return readTimeFacts(this.#db)
  }

  /** The state of the bus at a glance, and what wants attention. */
  summary(context: SummaryContext, share: Share): Promise<OverviewView> {
    return readSummary(this.#db, context, share)
  }

  /** Begins an export: what there is, and where its pages begin. */
  exportStart(): ExportStart {
    return this.#exporting.start()
  }

  /** The next lines of an export. */
  exportPage(cursor: ExportCursor, share: Share): Promise<ExportPage> {
    return this.#exporting.page(cursor, share)
  }

  /** Digests of keys, for the encrypted part of an export. */
  exportDigests(): [id: string, digest: string][] {
    return this.#exporting.digests()
  }

  /** Says what is in a file that is to be imported. Throws `invalid_request` for one that cannot be, like the next. */
  checkImport(file: ImportFile, now: number, share: Share): Promise<CheckedFile> {
    return checkImport(this.#db, file, now, share)
  }

  /** The next records of such a file. */
  readImport(file: ImportFile, position: ImportPosition, now: number, share: Share): Promise<ImportPage> {
    return readImport(this.#db, file, position, now, share)
  }

  #row(id: string): IntentRow | undefined {
    const row = findById<IntentRow>(this.#find, id)
    return row && inUnixTime(row, totalOf(this.#db))
  }
}
