import { createHmac } from 'node:crypto'
import type { ImportPreview, Skipped } from '../../../shared/control/transfer-views.ts'
import type { ProtocolError } from '../../../shared/errors.ts'
import { digestOf, MAIN_KEY_ID } from '../keys.ts'
import { statusName } from '../intents/intent.ts'
import type { Share } from '../reading/turns.ts'
import type { Connection, Statement } from '../store/database.ts'
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
/** What rows are looked up by: the reference server has an index on each, and without one a look could take hours. */
const LOOKED_UP: Readonly<Partial<Record<Table, string>>> = { intents: 'id', tester_keys: 'api_key' }

const RECORDS_OF_A_PAGE = 200
/** Bytes of a value that is looked at: more than any that can come over. */
const MAX_VALUE_BYTES = 65_536
/** Of all names and definitions in the file. The reference server's have some thousand. */
const MAX_SCHEMA_BYTES = 262_144

/** SQLite's numbers of rows have 64 bits, of which JavaScript's have 53: they are carried as text. */
const FIRST_PLACE = String(-(2n ** 63n))
const LAST_PLACE = 2n ** 63n - 1n

/** A row, and where it stands. */
interface Placed {
  readonly place: bigint
  readonly fields: Foreign
}

/**
 * The database of the reference server, version 7.61 and its neighbours: a copy that nobody else has open. Its keys are in
 * clear there, and say whose an intent is. Somebody may have made it to hold up the bus: each statement reads one row.
 */
export class ReferenceFile {
  readonly #next: ReadonlyMap<Table, Statement>
  readonly #hasIntent: Statement
  readonly #keys: KeyNames

  /** `own`: the database that is imported into. `mainDigest`: of its main key. Throws `invalid_request` for another program's file. */
  constructor(db: Connection, own: Connection, mainDigest: string) {
    checkSchema(db)
    const columns = readColumns(db)
    this.#next = new Map([...columns].map(([table, names]) => [table, db.prepare(nextRow(db, table, names))]))
    this.#hasIntent = lookUp(db, 'intents')
    this.#keys = keyNames(columns.has('tester_keys') ? lookUp(db, 'tester_keys') : undefined, own, mainDigest)
  }

  async check(now: number, share: Share): Promise<CheckedFile> {
    const counts = noCounts()
    const skips = new Skips()
    let at: ImportPosition = null
    await share.repeat(() => {
      const page = this.#step(at, now, skips)
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
      const page = this.#step(next, now, new Skips())
      records.push(...page.records)
      next = page.next
      return next === null || records.length >= RECORDS_OF_A_PAGE
    })
    return { records, next }
  }

  /** One row, or the step from one table to the next. */
  #step(position: ImportPosition, now: number, skips: Skips): ImportPage {
    const index = Number(position?.table ?? 0)
    const table = TABLES[index]!
    const row = this.#row(table, BigInt(position?.from ?? FIRST_PLACE))
    const record = row && this.#record(table, row.fields, now, skips)
    const records = record === undefined ? [] : [record]
    if (row !== undefined && row.place < LAST_PLACE) return { records, next: { table: index, from: String(row.place + 1n) } }
    return { records, next: index + 1 === TABLES.length ? null : { table: index + 1, from: FIRST_PLACE } }
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
        // What is still in the table of intents says more than its dead letter.
        return this.#hasIntent.get(row.intent_id) === undefined ? readDeadLetter(row, this.#keys, skips, now) : undefined
    }
  }

  /** The first row of a table from a place on; undefined behind its last one. */
  #row(table: Table, from: bigint): Placed | undefined {
    const row = this.#next.get(table)?.get(from) as ({ place: string } & Foreign) | undefined
    if (row === undefined) return undefined
    const { place: text, ...fields } = row
    const place = BigInt(text)
    // In a damaged file rows may stand in any order, and come again and again.
    if (place < from) throw badFile('The database is damaged: its rows are out of order. Copy it again while its server is stopped.')
    return { place, fields }
  }
}

/** Refuses a file with more in it than tables like those of the reference server: to look at all of it would take long. */
function checkSchema(db: Connection): void {
  const bytes = db.prepare('SELECT total(octet_length(sql) + octet_length(name)) FROM sqlite_schema').pluck().get() as number
  if (bytes > MAX_SCHEMA_BYTES) throw notOurs()
}

/** Whose a key is. The keys in the file, and those of this bus, by their digests; others are the old main key or were revoked. */
function keyNames(there: Statement | undefined, own: Connection, mainDigest: string): KeyNames {
  const here = new Map(own.prepare(`SELECT digest, id FROM keys WHERE digest <> ''`).raw().all() as [string, string][])
  // Public ids are shown to others: nobody may try out keys by them.
  const newId = (key: string): string => `key_${createHmac('sha256', mainDigest).update(key).digest('hex').slice(0, 16)}`
  const isKnown = (key: string): boolean => there?.get(key) !== undefined
  const isMain = (key: string): boolean => digestOf(key) === mainDigest || (!isKnown(key) && !key.startsWith('tk_'))
  const idOf = (key: string): string => (isMain(key) ? MAIN_KEY_ID : (here.get(digestOf(key)) ?? newId(key)))
  return { isKnown, idOf }
}

/** Reads the first row from a place on, by the tree of the table itself and by no index. */
function nextRow(db: Connection, table: Table, there: ReadonlySet<string>): string {
  const place = placeName(db, table)
  const columns = COLUMNS[table].map((name) => `${there.has(name) ? bounded(name) : 'NULL'} AS "${name}"`)
  return `SELECT CAST(${place} AS TEXT) AS place, ${columns.join(', ')} FROM "${table}" NOT INDEXED WHERE ${place} >= ? ORDER BY ${place} LIMIT 1`
}

/** What the number of a row is called: a column of that name would stand in front of it. */
function placeName(db: Connection, table: Table): string {
  const names = new Set(db.prepare('SELECT lower(name) FROM pragma_table_xinfo(?)').pluck().all(table) as string[])
  const place = ['rowid', '_rowid_', 'oid'].find((name) => !names.has(name))
  const isWithoutRows = db.prepare(`SELECT wr FROM pragma_table_list WHERE schema = 'main' AND name = ?`).pluck().get(table) !== 0
  if (place === undefined || isWithoutRows) throw notOurs()
  return place
}

/** Whether there is a row, by the unique index of what it is looked up by. */
function lookUp(db: Connection, table: keyof typeof LOOKED_UP): Statement {
  const column = LOOKED_UP[table]!
  const indexes = db.prepare(`SELECT name FROM pragma_index_list(?) WHERE "unique" AND NOT partial`).pluck().all(table) as string[]
  const firstOf = db.prepare('SELECT name FROM pragma_index_info(?) WHERE seqno = 0').pluck()
  const index = indexes.find((name) => firstOf.get(name) === column)
  if (index === undefined) throw notOurs()
  return db.prepare(`SELECT 1 FROM "${table}" INDEXED BY "${index.replaceAll('"', '""')}" WHERE "${column}" = ? LIMIT 1`)
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
  throw notOurs()
}

function notOurs(): ProtocolError {
  return badFile('This is a database of another program: it has no intents as the reference server keeps them.')
}

/** A column, without values that are too long to come over: of those not even the bytes are read. */
function bounded(name: string): string {
  return `iif(octet_length("${name}") > ${MAX_VALUE_BYTES}, x'', "${name}")`
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
