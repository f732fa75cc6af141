import type { TransferCounts } from '../../../shared/control/transfer-views.ts'
import { totalOf } from '../gaps.ts'
import type { IntentRow } from '../intents/intent.ts'
import type { Share } from '../reading/turns.ts'
import type { Connection, Statement } from '../store/database.ts'
import { intentLine, keyLine, keyValueLine, templateLine, viewLine, type KeyRow } from './export-lines.ts'
import { noCounts } from './format.ts'

/** What lies in the database, in the order of the file: whoever publishes comes before what was published. */
const SECTIONS = ['key', 'template', 'saved_view', 'key_value', 'intent'] as const

/** Where an export stands; `after` is where its section goes on, in whatever form that section counts. */
export interface ExportCursor {
  readonly section: number
  readonly after: string | number
  /** The newest intent that belongs to it. */
  readonly until: number
}

export interface ExportPage {
  readonly text: string
  readonly next: ExportCursor | null
}

export interface ExportStart {
  readonly cursor: ExportCursor
  readonly counts: TransferCounts
}

/** Characters of a page, but for what its last line has more. */
const PAGE_LENGTH = 262_144
const ROWS_AT_ONCE = 16

export const NEXT_INTENTS = 'SELECT * FROM intents WHERE n > ? AND n <= ? ORDER BY n LIMIT ?'
const NEXT_KEYS = `
  SELECT id, owner, created_at, revoked_at, requests, last_used_at, scope, expires_at, rate_limit
  FROM keys WHERE id > ? AND digest <> '' ORDER BY id LIMIT ?`
const NEXT_KEY_VALUES = 'SELECT key_id, name, value, expires_at FROM store WHERE (key_id, name) > (?, ?) ORDER BY key_id, name LIMIT ?'

/**
 * Reads what an export holds, page by page, in turns with other questions. It keeps no snapshot, which would keep the log
 * from being taken back into the database for minutes: each row is as it is when its turn comes. Intents come in the order
 * of their ids up to the newest at the start, so none comes twice, and what is missing was deleted meanwhile or is newer.
 */
export class Exporting {
  readonly #db: Connection
  readonly #intents: Statement
  readonly #keys: Statement
  readonly #keyValues: Statement
  readonly #templates: Statement
  readonly #views: Statement

  constructor(db: Connection) {
    this.#db = db
    this.#intents = db.prepare(NEXT_INTENTS)
    this.#keys = db.prepare(NEXT_KEYS)
    this.#keyValues = db.prepare(NEXT_KEY_VALUES)
    this.#templates = db.prepare('SELECT id, content, updated_at FROM templates WHERE id > ? ORDER BY id LIMIT ?')
    this.#views = db.prepare('SELECT id, name, filter FROM saved_views WHERE id > ? ORDER BY id LIMIT ?')
  }

  start(): ExportStart {
    const one = (sql: string): number => this.#db.prepare(sql).pluck().get() as number
    const counts = noCounts()
    const statuses = this.#db.prepare('SELECT status, sum(count) FROM tallies GROUP BY status').raw().all() as [number, number][]
    const names = Object.keys(counts.intents) as (keyof typeof counts.intents)[]
    for (const [status, count] of statuses) counts.intents[names[status]!] = count
    counts.keys = one(`SELECT count(*) FROM keys WHERE digest <> ''`)
    counts.templates = one('SELECT count(*) FROM templates')
    counts.savedViews = one('SELECT count(*) FROM saved_views')
    counts.keyValues = one('SELECT count(*) FROM store')
    const until = one('SELECT coalesce(max(n), 0) FROM intents')
    return { counts, cursor: { section: 0, after: '', until } }
  }

  /** The digests of keys that count, which an export holds only encrypted. */
  digests(): [id: string, digest: string][] {
    const sql = `SELECT id, digest FROM keys WHERE revoked_at IS NULL AND length(digest) = 43 ORDER BY id`
    return this.#db.prepare(sql).raw().all() as [string, string][]
  }

  async page(cursor: ExportCursor, share: Share): Promise<ExportPage> {
    let text = ''
    let at: ExportCursor | null = cursor
    await share.repeat(() => {
      const step = this.#step(at!)
      text += step.text
      at = step.next
      return at === null || text.length >= PAGE_LENGTH
    })
    return { text, next: at }
  }

  #step({ section, after, until }: ExportCursor): ExportPage {
    const { lines, last } = this.#lines(SECTIONS[section]!, after, until)
    const text = lines.join('')
    if (lines.length === ROWS_AT_ONCE) return { text, next: { section, after: last, until } }
    if (section + 1 === SECTIONS.length) return { text, next: null }
    return { text, next: { section: section + 1, after: SECTIONS[section + 1] === 'intent' ? 0 : '', until } }
  }

  #lines(section: (typeof SECTIONS)[number], after: string | number, until: number): Lines {
    switch (section) {
      case 'key':
        return linesOf(this.#keys.all(after, ROWS_AT_ONCE) as KeyRow[], keyLine, ({ id }) => id)
      case 'template':
        return linesOf(this.#templates.all(after, ROWS_AT_ONCE) as Parameters<typeof templateLine>[0][], templateLine, ({ id }) => id)
      case 'saved_view':
        return linesOf(this.#views.all(after, ROWS_AT_ONCE) as Parameters<typeof viewLine>[0][], viewLine, ({ id }) => id)
      case 'key_value': {
        const [keyId, name] = after === '' ? ['', ''] : (JSON.parse(after as string) as [string, string])
        const rows = this.#keyValues.all(keyId, name, ROWS_AT_ONCE) as Parameters<typeof keyValueLine>[0][]
        return linesOf(rows, keyValueLine, (row) => JSON.stringify([row.key_id, row.name]))
      }
      case 'intent':
        return this.#intentLines(after as number, until)
    }
  }

  /** Rows and the sum of gaps are of one moment: ends of leases and lifetimes are stored less the gaps. */
  #intentLines(after: number, until: number): Lines {
    return this.#db.transaction(() => {
      const gone = totalOf(this.#db)
      const rows = this.#intents.all(after, until, ROWS_AT_ONCE) as (IntentRow & { traceparent: string | null })[]
      return linesOf(rows, (row) => intentLine(row, gone), ({ n }) => n)
    })()
  }
}

interface Lines {
  readonly lines: readonly string[]
  /** Where the section goes on behind them. */
  readonly last: string | number
}

function linesOf<Row>(rows: readonly Row[], line: (row: Row) => string, place: (row: Row) => string | number): Lines {
  const last = rows.at(-1)
  return { lines: rows.map(line), last: last === undefined ? '' : place(last) }
}
