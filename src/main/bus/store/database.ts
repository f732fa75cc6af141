import { closeSync, existsSync, openSync, statSync } from 'node:fs'
import Database from 'better-sqlite3'
import { migrations } from './migrations/index.ts'

export type Connection = Database.Database
export type Statement = Database.Statement

/** "IBus" in ASCII: tells a database of ours from any other SQLite file. */
const APPLICATION_ID = 0x49427573

/** Milliseconds to wait for a foreign process (a backup, the sqlite3 shell) that holds the database. */
const BUSY_TIMEOUT_MS = 250

/** A database that cannot be used as it is. The message is one sentence for the user; nothing was changed. */
export class UnusableDatabaseError extends Error {
  override readonly name: string = 'UnusableDatabaseError'
}

/** A database that is there but damaged; nothing was changed. */
export class DamagedDatabaseError extends UnusableDatabaseError {
  override readonly name = 'DamagedDatabaseError'
}

/**
 * Opens the bus's database for writing, makes or migrates it when needed.
 * Throws UnusableDatabaseError when the file is another program's, from a newer version, damaged or not writable.
 */
export function openDatabase(path: string): Connection {
  let db: Connection
  try {
    makePrivate(path)
    db = new Database(path, { timeout: BUSY_TIMEOUT_MS })
  } catch (error) {
    throw new UnusableDatabaseError(`The database ${path} cannot be opened: ${(error as Error).message}.`)
  }
  try {
    const version = checkOrigin(db, path)
    // Only a new file takes auto_vacuum, and only before its first table; nothing of this touches a file we refuse.
    if (version === 0) db.pragma('auto_vacuum = INCREMENTAL')
    db.pragma('journal_mode = WAL')
    db.pragma('synchronous = FULL')
    // On macOS a plain fsync stays in the drive's cache, which a loss of power empties; elsewhere this does nothing.
    db.pragma('fullfsync = ON')
    db.pragma('wal_autocheckpoint = 4000')
    db.pragma('journal_size_limit = 67108864')
    db.pragma('cache_size = -16000')
    db.pragma('mmap_size = 0')
    db.pragma('temp_store = MEMORY')
    migrate(db, version)
    return db
  } catch (error) {
    db.close()
    if (error instanceof UnusableDatabaseError) throw error
    if (isDamage(error)) throw unreadable(path, error)
    throw new UnusableDatabaseError(`The database ${path} cannot be used: ${(error as Error).message}.`)
  }
}

/** The error of the database as a damage of its file. */
export function unreadable(path: string, error: unknown): DamagedDatabaseError {
  return new DamagedDatabaseError(`The database ${path} is damaged (${sqliteCode(error)}: ${(error as Error).message}).`)
}

/** A database whose disk is full or may not be written to. */
export function withoutDisk(path: string, error: unknown): UnusableDatabaseError {
  const what = `${sqliteCode(error)}: ${(error as Error).message}`
  return new UnusableDatabaseError(
    `The disk with the database ${path} takes nothing (${what}); make room on it or restore access, then start the bus again.`
  )
}

/**
 * Moves what it can of the log into the file, without waiting for readers: where the disk is full, the room of the log can be used
 * again then. Does nothing where that is not possible.
 */
export function checkpoint(db: Connection): void {
  try {
    db.pragma('wal_checkpoint(PASSIVE)')
  } catch (error) {
    if (!isDiskTrouble(error) && !isBusy(error)) throw error
  }
}

/** Opens it for reading only, beside the writer: for operators' questions, in a thread of their own. Throws as `openAside`. */
export function openForReading(path: string): Connection {
  demandContent(path)
  const db = new Database(path, { readonly: true, fileMustExist: true, timeout: BUSY_TIMEOUT_MS })
  db.pragma('query_only = ON')
  db.pragma('cache_size = -8000')
  db.pragma('temp_store = MEMORY')
  return db
}

/** Opens a database that no bus runs on, as it is: to check, finish or compare it. Throws DamagedDatabaseError for an empty file with a log. */
export function openAside(path: string, access: 'read' | 'write' = 'read'): Connection {
  demandContent(path)
  const db = new Database(path, { readonly: access === 'read', fileMustExist: true, timeout: BUSY_TIMEOUT_MS })
  db.pragma('temp_store = MEMORY')
  return db
}

/**
 * Copies all pages that a connection sees into a new file, for its owner only. `step` hears how many are left and says how many to
 * copy next; it may sleep. While the connection keeps a read transaction, writers neither wait nor change what is copied.
 */
export async function copyPages(source: Connection, target: string, step: (left: number) => number): Promise<void> {
  closeSync(openSync(target, 'wx', 0o600))
  await source.backup(target, { progress: ({ remainingPages }) => step(remainingPages) })
}

/** Schema version of a database of ours; undefined of any other file of SQLite. */
export function versionOf(db: Connection): number | undefined {
  if (db.pragma('application_id', { simple: true }) !== APPLICATION_ID) return undefined
  return db.pragma('user_version', { simple: true }) as number
}

/** Schema version that this program writes. */
export const SCHEMA_VERSION = migrations.length

/**
 * Opens a database that another program made, and somebody may have tampered with: nothing in it is run or changed. A log beside it
 * counts. Throws UnusableDatabaseError for a database of ours.
 */
export function openForeign(path: string): Connection {
  const db = new Database(path, { readonly: true, fileMustExist: true, timeout: BUSY_TIMEOUT_MS })
  try {
    db.pragma('query_only = ON')
    db.pragma('trusted_schema = OFF')
    db.pragma('cell_size_check = ON')
    db.pragma('temp_store = MEMORY')
    if (db.pragma('application_id', { simple: true }) !== APPLICATION_ID) return db
    throw new UnusableDatabaseError('This is the database of a bus like this one: export it there, and import that file.')
  } catch (error) {
    db.close()
    throw error
  }
}

/** Opens a small database of its own that serves as a lock: whoever holds its exclusive transaction holds the lock. */
export function openLock(path: string): Connection {
  makePrivate(path)
  const db = new Database(path, { timeout: 0 })
  try {
    db.pragma('journal_mode = DELETE')
    db.exec('BEGIN EXCLUSIVE')
    return db
  } catch (error) {
    db.close()
    throw error
  }
}

/** True for the two errors that say that another connection holds what we need. */
export function isBusy(error: unknown): boolean {
  const code = sqliteCode(error)
  return code !== undefined && (code.startsWith('SQLITE_BUSY') || code.startsWith('SQLITE_LOCKED'))
}

/** What the disk refuses, as opposed to a damaged database or a fault of ours. */
const DISK_TROUBLE = /^SQLITE_(FULL|IOERR|READONLY|CANTOPEN|PERM)/

/** Whether an error says that the disk did not take or give something. */
export function isDiskTrouble(error: unknown): boolean {
  return DISK_TROUBLE.test(sqliteCode(error) ?? '')
}

/** Whether an error says that the file is damaged. */
export function isDamage(error: unknown): boolean {
  return error instanceof DamagedDatabaseError || /^SQLITE_(CORRUPT|NOTADB)/.test(sqliteCode(error) ?? '')
}

/** The SQLITE_... code of an error from the database, undefined for any other error. */
export function sqliteCode(error: unknown): string | undefined {
  return error instanceof Database.SqliteError ? error.code : undefined
}

/** Payloads are nobody else's business: the file is made with mode 0600; SQLite gives its WAL the same. */
function makePrivate(path: string): void {
  if (!existsSync(path)) closeSync(openSync(path, 'a', 0o600))
}

/** SQLite takes an empty file for a new database, and deletes the log beside it even where it may only read. */
function demandContent(path: string): void {
  if (sizeOf(path) > 0 || sizeOf(`${path}-wal`) === 0) return
  throw new DamagedDatabaseError(`The file of the database ${path} is empty or gone, while its log is there.`)
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0
}

/** The schema version of a database of ours; 0 for a new one. */
function checkOrigin(db: Connection, path: string): number {
  const version = db.pragma('user_version', { simple: true }) as number
  const applicationId = db.pragma('application_id', { simple: true }) as number
  const isEmpty = statSync(path).size === 0 || db.prepare('SELECT 1 FROM sqlite_schema LIMIT 1').get() === undefined
  if (isEmpty) return 0
  if (applicationId !== APPLICATION_ID) {
    throw new UnusableDatabaseError(
      `${path} is a database of another program, not of Intent Bus Desktop; set BUS_DB_PATH to another file.`
    )
  }
  if (version > migrations.length) {
    throw new UnusableDatabaseError(
      `The database ${path} was written by a newer version of Intent Bus Desktop (schema ${version}, this version knows up to ${migrations.length}); start that version, or set BUS_DATA_DIR to another folder.`
    )
  }
  return version
}

function migrate(db: Connection, from: number): void {
  for (let version = from; version < migrations.length; version++) {
    db.transaction(() => {
      db.exec(migrations[version]!)
      db.pragma(`application_id = ${APPLICATION_ID}`)
      db.pragma(`user_version = ${version + 1}`)
    }).immediate()
  }
}
