import { statSync } from 'node:fs'
import { isDamage, openAside, versionOf, type Connection } from '../bus/store/database.ts'
import { isLogDamaged } from '../bus/store/log-check.ts'
import { findFlaw, structuralFlaw } from './check.ts'

/** Bytes of a database that is read as a whole at every start: some tenths of a second. */
const MAX_QUICK_BYTES = 64 * 1024 ** 2

/** Bytes of the smallest page that SQLite has: no database is smaller. */
const MIN_BYTES = 512

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

/** How a database is that is to be replaced, all of it read. */
export type Condition =
  /** Neither its file nor its log is there. */
  | { readonly state: 'missing' }
  | { readonly state: 'good' }
  | { readonly state: 'damaged'; readonly damage: Damage }
  /** Nothing is known to be wrong with it, but it cannot be read; why, as half a sentence. */
  | { readonly state: 'unreadable'; readonly reason: string }

/** Looks at the database that a bus is about to open, and changes nothing. `isExpected`: there was one here before. */
export function examine(path: string, isExpected: boolean): Health {
  const damage = damageOfFiles(path, isExpected)
  if (damage !== undefined) return { damage, isFullyChecked: true }
  const bytes = sizeOf(path)
  if (bytes === 0) return { damage: undefined, isFullyChecked: true }
  const isFullyChecked = bytes <= MAX_QUICK_BYTES
  const text = isFullyChecked ? damageWithin(path) : undefined
  return { damage: text === undefined ? undefined : { text, isOnlyLog: false }, isFullyChecked }
}

/** Reads a database from beginning to end, and all of its log, while no bus runs on it; changes nothing. */
export function conditionOf(path: string): Condition {
  if (!isThere(path) && !isThere(`${path}-wal`)) return { state: 'missing' }
  const damage = damageOfFiles(path, true)
  if (damage !== undefined) return { state: 'damaged', damage }
  const flaw = findFlaw(path)
  if (flaw === undefined) return { state: 'good' }
  return flaw.isDamaged ? { state: 'damaged', damage: { text: flaw.text, isOnlyLog: false } } : { state: 'unreadable', reason: flaw.text }
}

/** What two sizes and the checksums of the log tell. SQLite itself would take these for an empty database or a shorter log. */
function damageOfFiles(path: string, isExpected: boolean): Damage | undefined {
  const hasLog = sizeOf(`${path}-wal`) > 0
  const bytes = sizeOf(path)
  const isEmpty = bytes === 0
  if (isEmpty && hasLog) return { text: 'its file is empty or gone, while its log is there', isOnlyLog: false }
  if (isEmpty && isExpected) return { text: isThere(path) ? 'its file is empty' : 'its file is gone, though there was one before', isOnlyLog: false }
  if (!isEmpty && bytes < MIN_BYTES) return { text: `only ${bytes} bytes of its file are left`, isOnlyLog: false }
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

function isThere(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) !== undefined
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0
}
