import { closeSync, fdatasyncSync, openSync } from 'node:fs'
import { copyPages, openAside, openForReading, type Connection } from '../bus/store/database.ts'
import type { Pace } from './pace.ts'

/** Pages between two syncs of the copy: what the system gathers would hold up the syncs of the bus when it is written at once. */
const PAGES_PER_SYNC = 256

/**
 * Copies a database, its log included, as it is at this moment, while others may write to it, into a new file that needs no log.
 * It is on disk when this resolves. Rejects with what SQLite throws.
 */
export async function copyDatabase(source: string, target: string, pace: Pace): Promise<void> {
  const db = openForReading(source)
  try {
    beginSnapshot(db)
    await copy(db, target, pace)
  } finally {
    db.close()
  }
  makeWhole(target)
}

/** From here on the connection sees the database as it is now. */
function beginSnapshot(db: Connection): void {
  db.exec('BEGIN')
  db.prepare('SELECT 1 FROM sqlite_schema').get()
}

async function copy(db: Connection, target: string, pace: Pace): Promise<void> {
  let file: number | undefined
  let unsynced = 0
  try {
    await copyPages(db, target, () => {
      file ??= openSync(target, 'r+')
      unsynced += pace.pages
      if (unsynced >= PAGES_PER_SYNC) {
        fdatasyncSync(file)
        unsynced = 0
      }
      pace.rest()
      return pace.pages
    })
  } finally {
    if (file !== undefined) closeSync(file)
  }
}

/** The copy says of itself that it has a log, as its source does; a single file that is complete can be carried about. */
function makeWhole(path: string): void {
  const db = openAside(path, 'write')
  try {
    db.pragma('journal_mode = DELETE')
  } finally {
    db.close()
  }
}
