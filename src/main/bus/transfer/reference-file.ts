import { createHmac } from 'node:crypto'
import type { ImportPreview, Skipped } from '../../../shared/control/transfer-views.ts'
import { digestOf, MAIN_KEY_ID } from '../keys.ts'
import { statusName } from '../intents/intent.ts'
import type { Share } from '../reading/turns.ts'
import type { Connection } from '../store/database.ts'
import type { CheckedFile } from './export-file.ts'
import { badFile, noCounts } from './format.ts'
import type { ImportPage, ImportPosition, ImportRecord } from './records.ts'
import { Skips } from './skips.ts'
import { readDeadLetter, readForeignIntent, readForeignKey, readForeignValue, type Foreign, type KeyNames } from './reference-rows.ts'

/** The tables that hold something for us, in the order in which they are read. */
const TABLES = ['tester_keys', 'store', 'intents', 'dead_letters'] as const
type Table = (typeof TABLES)[number]

/** Of each table. Versions before 7.61 lack some of them, and others may have more. */
const COLUMNS: Readonly<Record<Table, readonly string[]>> = {
  tester_keys: ['api_key', 'owner', 'total_requests', 'created_at'],
  store: ['key', 'value', 'expires_at'],
  intents: [
    'id', 'namespace', 'goal', 'payload', 'status', 'priority', 'target_worker', 'required_capability', 'created_at', 'expires_at', 'run_at',
    'claimed_at', 'claimed_by', 'publisher', 'claim_attempts', 'max_attempts', 'backoff_base', 'visibility', 'last_error', 'failed_at', 'result',
    'result_type', 'completed_at'
  ],
  dead_letters: ['intent_id', 'namespace', 'goal', 'payload', 'publisher', 'visibility', 'attempts', 'reason', 'created_at']
}
/** Without these a table is another program's. */
const NEEDED: Readonly<Partial<Record<Table, readonly string[]>>> = { intents: ['id', 'goal', 'payload', 'status'] }

const ROWS_AT_ONCE = 16
const RECORDS_OF_A_PAGE = 200
/** Characters of a value that are looked at: more than any that can come over. */
const MAX_VALUE_LENGTH = 65_536

/**
 * The database of the reference server, version 7.61 and its neighbours: a copy that nobody else has open. Its keys are in
 * clear there, and say whose an intent is.
 */
export class ReferenceFile {
  readonly #db: Connection
  readonly #keys: KeyNames
  readonly #columns: ReadonlyMap<Table, ReadonlySet<string>>

  /** `own`: the database that is imported into. `mainDigest`: of its main key. Throws `invalid_request` for another program's file. */
  constructor(db: Connection, own: Connection, mainDigest: string) {
    this.#db = db
    this.#columns = readColumns(db)
    this.#keys = this.#readKeys(own, mainDigest)
  }

  async check(now: number, share: Share): Promise<CheckedFile> {
    const counts = noCounts()
    const skips = new Skips()
    let at: ImportPosition = null
    await share.repeat(() => {
      const page = this.#read(at, now, skips)
      for (const record of page.records) count(record, counts)
      at = page.next
      return at === null
    })
    return { preview: previewOf(counts, skips.list), sealed: [], settings: null }
  }

  /** The records from a position on that can come over. */
  async page(position: ImportPosition, now: number, share: Share): Promise<ImportPage> {
    const records: ImportRecord[] = []
    let next = position
    await share.repeat(() => {
      const page = this.#read(next, now, new Skips())
      records.push(...page.records)
      next = page.next
      return next === null || records.length >= RECORDS_OF_A_PAGE
    })
    return { records, next }
  }

  #read(position: ImportPosition, now: number, skips: Skips): ImportPage {
    const index = Number(position?.table ?? 0)
    const table = TABLES[index]!
    const rows = this.#rows(table, Number(position?.after ?? 0), ROWS_AT_ONCE)
    const records = rows.flatMap(({ fields }) => this.#record(table, fields, now, skips) ?? [])
    if (rows.length === ROWS_AT_ONCE) return { records, next: { table: index, after: rows.at(-1)!.place } }
    return { records, next: index + 1 === TABLES.length ? null : { table: index + 1, after: 0 } }
  }

  #record(table: Table, row: Foreign, now: number, skips: Skips): ImportRecord | undefined {
    switch (table) {
      case 'tester_keys':
        return readForeignKey(row, this.#keys, skips, now)
      case 'store':
        return readForeignValue(row, this.#keys, skips, now)
      case 'intents':
        return readForeignIntent(row, this.#keys, skips, now)
      case 'dead_letters':
        return readDeadLetter(row, this.#keys, skips, now)
    }
  }

  #rows(table: Table, after: number, limit: number): { place: number; fields: Foreign }[] {
    const there = this.#columns.get(table)
    if (there === undefined) return []
    const columns = COLUMNS[table].map((name) => `${there.has(name) ? bounded(name) : 'NULL'} AS "${name}"`)
    // What is still in the table of intents says more than its dead letter.
    const isExtra = table === 'dead_letters' ? 'AND NOT EXISTS (SELECT 1 FROM intents WHERE intents.id = intent_id)' : ''
    const sql = `SELECT rowid AS place, ${columns.join(', ')} FROM "${table}" WHERE rowid > ? ${isExtra} ORDER BY rowid LIMIT ?`
    const rows = this.#db.prepare(sql).all(after, limit) as ({ place: number } & Foreign)[]
    return rows.map(({ place, ...fields }) => ({ place, fields }))
  }

  /** Whose a key is. The keys in the file, and those of this bus, by their digests; others are the old main key or were revoked. */
  #readKeys(own: Connection, mainDigest: string): KeyNames {
    const known = new Map(own.prepare(`SELECT digest, id FROM keys WHERE digest <> ''`).raw().all() as [string, string][])
    const there = new Set(this.#rows('tester_keys', 0, -1).flatMap(({ fields }) => (typeof fields.api_key === 'string' ? fields.api_key : [])))
    // Public ids are shown to others: nobody may try out keys by them.
    const newId = (key: string): string => `key_${createHmac('sha256', mainDigest).update(key).digest('hex').slice(0, 16)}`
    const isMain = (key: string): boolean => digestOf(key) === mainDigest || (!there.has(key) && !key.startsWith('tk_'))
    return {
      isKnown: (key) => there.has(key),
      idOf: (key) => (isMain(key) ? MAIN_KEY_ID : (known.get(digestOf(key)) ?? newId(key)))
    }
  }
}

/** Which columns the tables have. Throws `invalid_request` when there are no intents as the reference server has them. */
function readColumns(db: Connection): Map<Table, Set<string>> {
  const columns = new Map<Table, Set<string>>()
  const findTable = db.prepare(`SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ? AND sql LIKE 'CREATE TABLE%'`)
  for (const table of TABLES) {
    if (findTable.get(table) === undefined) continue
    // Columns that are computed are not told: they would have the file run expressions of its own.
    const names = db.prepare('SELECT name FROM pragma_table_info(?)').pluck().all(table) as string[]
    columns.set(table, new Set(names))
  }
  const isOurs = Object.entries(NEEDED).every(([table, names]) => names.every((name) => columns.get(table as Table)?.has(name)))
  if (isOurs) return columns
  throw badFile('This is a database of another program: it has no intents as the reference server keeps them.')
}

/** A column, without values that are too long to come over. */
function bounded(name: string): string {
  return `iif(length("${name}") > ${MAX_VALUE_LENGTH}, x'', "${name}")`
}

function count(record: ImportRecord, counts: ReturnType<typeof noCounts>): void {
  if (record.type === 'intent') counts.intents[statusName(record.status)]++
  else if (record.type === 'key') counts.keys++
  else if (record.type === 'key_value') counts.keyValues++
}

function previewOf(counts: ReturnType<typeof noCounts>, skipped: readonly Skipped[]): ImportPreview {
  const notes = ['Intents get new ids; the last 18 digits stay as they are. Whoever asks for a result by an old id does not find it.']
  if (counts.keys > 0) notes.push('Its keys go on working here, as they are in the file.')
  notes.push('Its main key (BUS_SECRET) is not in the file: what was published with it belongs to the main key of this bus.')
  return { origin: 'reference', createdAt: null, appVersion: null, counts, hasSettings: false, hasSecrets: false, skipped, notes }
}
