import { closeSync, openSync, readSync } from 'node:fs'
import type { Share } from '../reading/turns.ts'
import { openForeign, sqliteCode, UnusableDatabaseError, type Connection } from '../store/database.ts'
import { ExportFile, type CheckedFile } from './export-file.ts'
import { badFile } from './format.ts'
import type { ImportPage, ImportPosition } from './records.ts'
import { ReferenceFile } from './reference-file.ts'

/** A file that is to be imported; nobody else writes to it. */
export interface ImportFile {
  readonly path: string
  /** SHA-256 of this bus's main key: whose key it is in the file of a reference server. */
  readonly mainDigest: string
}

const SQLITE_MAGIC = 'SQLite format 3\0'

/** Reads all of a file once, and says what is in it. Throws `invalid_request` for one that cannot be imported. */
export function checkImport(own: Connection, file: ImportFile, now: number, share: Share): Promise<CheckedFile> {
  if (!isDatabase(file.path)) return new ExportFile(file.path).check(now, share)
  return reading(file, async (db) => new ReferenceFile(db, own, file.mainDigest).check(now, share))
}

/** The next records of a file that was checked. */
export function readImport(own: Connection, file: ImportFile, position: ImportPosition, now: number, share: Share): Promise<ImportPage> {
  if (!isDatabase(file.path)) return new ExportFile(file.path).page(position, now, share)
  return reading(file, async (db) => new ReferenceFile(db, own, file.mainDigest).page(position, now, share))
}

async function reading<T>({ path }: ImportFile, read: (db: Connection) => Promise<T>): Promise<T> {
  let db: Connection | undefined
  try {
    db = openForeign(path)
    return await read(db)
  } catch (error) {
    if (error instanceof UnusableDatabaseError) throw badFile(error.message)
    const code = sqliteCode(error)
    if (code === undefined) throw error
    throw badFile(`The database cannot be read (${code}: ${(error as Error).message}); copy it again while its server is stopped.`)
  } finally {
    db?.close()
  }
}

function isDatabase(path: string): boolean {
  const file = openSync(path, 'r')
  try {
    const start = Buffer.alloc(SQLITE_MAGIC.length)
    readSync(file, start)
    return start.toString('latin1') === SQLITE_MAGIC
  } finally {
    closeSync(file)
  }
}
