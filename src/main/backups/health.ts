import { existsSync, statSync } from 'node:fs'
import { isDamage, openAside, versionOf, type Connection } from '../bus/store/database.ts'
import { isLogDamaged } from '../bus/store/log-check.ts'
import { findFlaw, structuralFlaw } from './check.ts'

/** Bytes of a database that is read as a whole at every start: some tenths of a second. */
const MAX_QUICK_BYTES = 64 * 1024 ** 2

/** What is wrong with a database before it is opened, as half a sentence. */
export interface Damage {
  readonly text: string
  /** The database itself is good as far as it goes; the log is not. */
  readonly isOnlyLog: boolean
}

export interface Health {
  /** undefined where none was found. */
  readonly damage: Damage | undefined
  /** False for one that is too large to be read at a start, and must be later. */
  readonly isFullyChecked: boolean
}

/** Looks at the database that a bus is about to open, and changes nothing. `isExpected`: there were intents here before. */
export function examine(path: string, isExpected: boolean): Health {
  const damage = damageOfFiles(path, isExpected)
  if (damage !== undefined) return { damage, isFullyChecked: true }
  const bytes = sizeOf(path)
  if (bytes === 0) return { damage: undefined, isFullyChecked: true }
  const isFullyChecked = bytes <= MAX_QUICK_BYTES
  const text = isFullyChecked ? damageWithin(path) : undefined
  return { damage: text === undefined ? undefined : { text, isOnlyLog: false }, isFullyChecked }
}

/** Whether the database can be read from beginning to end, and all of its log. */
export function isReadable(path: string): boolean {
  return damageOfFiles(path, false) === undefined && findFlaw(path) === undefined
}

/** What two sizes and the checksums of the log tell. SQLite itself would take these for an empty database or a shorter log. */
function damageOfFiles(path: string, isExpected: boolean): Damage | undefined {
  const hasLog = sizeOf(`${path}-wal`) > 0
  const isEmpty = sizeOf(path) === 0
  if (isEmpty && hasLog) return { text: 'its file is empty or gone, while its log is there', isOnlyLog: false }
  if (isEmpty && isExpected && existsSync(path)) return { text: 'its file is empty', isOnlyLog: false }
  if (hasLog && isLogDamaged(`${path}-wal`)) return { text: 'its log has changes that cannot be read', isOnlyLog: true }
  return undefined
}

/** What cannot be opened for another reason, and a file that is no database of ours, is told better by whoever opens it. */
function damageWithin(path: string): string | undefined {
  let db: Connection | undefined
  try {
    db = openAside(path)
    return versionOf(db) === undefined ? undefined : structuralFlaw(db)?.text
  } catch (error) {
    return isDamage(error) ? (error as Error).message : undefined
  } finally {
    db?.close()
  }
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0
}
