import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { storageUnavailable } from '../shared/errors.ts'

/** What a disk says that is full, cannot be written, or is broken. */
const DISK_TROUBLE: ReadonlySet<string | undefined> = new Set(['ENOSPC', 'EDQUOT', 'EROFS', 'EIO', 'EACCES', 'EPERM'])

/** What Windows says of a file that another program has open. */
const HELD: ReadonlySet<string | undefined> = new Set(['EPERM', 'EACCES', 'EBUSY'])
const HELD_FOR_MS = 1_000
const RETRY_MS = 20

/**
 * Writes a file, for its owner only unless `mode` says otherwise; at every moment the old or the new content is there, also after
 * a crash. Throws ProtocolError `storage_unavailable` when the disk does not take it; then nothing of the new one is left.
 */
export function writeFileAtomically(path: string, content: string, mode = 0o600): void {
  const temporary = `${path}.${process.pid}.tmp`
  try {
    replace(path, temporary, content, mode)
  } catch (error) {
    removeQuietly(temporary)
    throw asDiskRefusal(error)
  }
}

/** An error of the file system as its caller is told: 503 where the disk is in trouble, else the error itself. */
export function asDiskRefusal(error: unknown): unknown {
  const { code } = error as NodeJS.ErrnoException
  return DISK_TROUBLE.has(code) ? storageUnavailable(code!) : error
}

/**
 * Renames a file over another one. On Windows a virus scanner may hold either for a moment, so there it tries again for a
 * second. Throws what the file system says.
 */
export function replaceFile(from: string, to: string, rename: (from: string, to: string) => void = renameSync): void {
  const until = performance.now() + HELD_FOR_MS
  for (;;) {
    try {
      return rename(from, to)
    } catch (error) {
      const isHeld = process.platform === 'win32' && HELD.has((error as NodeJS.ErrnoException).code)
      if (!isHeld || performance.now() > until) throw error
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, RETRY_MS)
    }
  }
}

function replace(path: string, temporary: string, content: string, mode: number): void {
  // Made anew, never followed: what lies there is left over from a crash, or not ours.
  rmSync(temporary, { force: true })
  const file = openSync(temporary, 'wx', mode)
  try {
    writeFileSync(file, content)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
  replaceFile(temporary, path)
  syncDirectory(dirname(path))
}

function removeQuietly(path: string): void {
  try {
    rmSync(path, { force: true })
  } catch {
    // Whoever writes it next tries again.
  }
}

/** Puts a rename on disk; Windows has no such call, and needs none. */
export function syncDirectory(path: string): void {
  if (process.platform === 'win32') return
  const directory = openSync(path, 'r')
  try {
    fsyncSync(directory)
  } finally {
    closeSync(directory)
  }
}

/** Puts what was written to a file on disk. */
export function syncFile(path: string): void {
  const file = openSync(path, 'r+')
  try {
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}
