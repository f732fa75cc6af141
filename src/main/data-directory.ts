import { accessSync, constants, existsSync, mkdirSync, readFileSync, realpathSync, rmSync, statSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { ProtocolError } from '../shared/errors.ts'
import { isBusy, isDiskTrouble, openLock, UnusableDatabaseError, withoutDisk, type Connection } from './bus/store/database.ts'
import { ConfigError } from './config.ts'
import { writeFileAtomically } from './files.ts'

/** Who runs on a data directory, for whoever comes second and for tools that look for the bus. */
export interface RunningBus {
  readonly pid: number
  /** Absent while the bus is starting. */
  readonly url?: string
  /** Where other machines reach it; absent while it is not shared. */
  readonly shared?: readonly string[]
  /** By what they know it then: the digest of its key as curl takes it, and the fingerprint of its root. */
  readonly pin?: string
  readonly fingerprint?: string
}

/**
 * The folder that holds all the bus keeps. One process at a time owns it: the lock is an exclusive transaction on a
 * small database beside the real one, so it dies with its process and never goes stale.
 */
export class DataDirectory {
  readonly path: string
  readonly #locks: readonly Connection[]
  #said: string | undefined

  private constructor(path: string, locks: readonly Connection[]) {
    this.path = path
    this.#locks = locks
  }

  /** Makes the folder when needed and takes it. Throws ConfigError when it cannot be used or belongs to another bus, UnusableDatabaseError when its disk is full. */
  static take(path: string, databasePath: string): DataDirectory {
    makeWritable(path)
    makeWritable(dirname(databasePath))
    // Two locks: a folder and a database file can each be reached by two settings that differ in the other.
    const paths = [join(path, 'bus.lock'), `${realPath(databasePath)}.lock`]
    const locks: Connection[] = []
    try {
      for (const lockPath of paths) locks.push(takeLock(lockPath, path))
      const directory = new DataDirectory(path, locks)
      directory.announce({ pid: process.pid })
      return directory
    } catch (error) {
      for (const lock of locks) lock.close()
      if (error instanceof ConfigError || error instanceof UnusableDatabaseError) throw error
      throw new ConfigError(`The folder ${path} cannot be written to (${(error as Error).message}); set BUS_DATA_DIR to one that can.`)
    }
  }

  file(name: string): string {
    return join(this.path, name)
  }

  /** Says in the folder who runs here, and where. False when the disk does not take it: then nothing is said rather than something old. */
  announce(running: RunningBus): boolean {
    const content = `${JSON.stringify(running)}\n`
    if (content === this.#said) return true
    try {
      writeFileAtomically(join(this.path, RUNNING_FILE), content)
      this.#said = content
      return true
    } catch (error) {
      if (!(error instanceof ProtocolError && error.code === 'storage_unavailable')) throw error
      this.#sayNothing()
      return false
    }
  }

  release(): void {
    this.#sayNothing()
    for (const lock of this.#locks) lock.close()
  }

  #sayNothing(): void {
    this.#said = undefined
    try {
      rmSync(join(this.path, RUNNING_FILE), { force: true })
    } catch {
      // Whoever reads it finds nobody at that address.
    }
  }
}

/** Who says that it runs on a folder; undefined where nobody does. A crash leaves that behind. */
export function readRunning(dataDir: string): RunningBus | undefined {
  try {
    return JSON.parse(readFileSync(join(dataDir, RUNNING_FILE), 'utf8')) as RunningBus
  } catch {
    return undefined
  }
}

/** Sentences about a folder that others than its owner may change, who could replace files in it; none where modes mean nothing. */
export function noticesOfFolder(path: string): readonly string[] {
  const isOpen = process.platform !== 'win32' && existsSync(path) && (statSync(path).mode & 0o022) !== 0
  return isOpen ? [`Other users of this machine can change what is in the data folder ${path}; run chmod 700 on it.`] : []
}

const RUNNING_FILE = 'running.json'

function makeWritable(path: string): void {
  try {
    makeFolders(path)
    if (!statSync(path).isDirectory()) throw new Error('it is not a folder')
    accessSync(path, constants.R_OK | constants.W_OK | constants.X_OK)
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? (error as Error).message
    throw new ConfigError(`The folder ${path} cannot be written to (${reason}); set BUS_DATA_DIR to one that can.`)
  }
}

/** One level after the other: node's own recursion never ends where a folder exists but takes no new ones, as /proc. */
function makeFolders(path: string): void {
  if (existsSync(path)) return
  makeFolders(dirname(path))
  mkdirSync(path, { mode: 0o700 })
}

/** The file behind all links; it need not be there yet. */
function realPath(path: string): string {
  return existsSync(path) ? realpathSync(path) : join(realpathSync(dirname(path)), basename(path))
}

function takeLock(lockPath: string, dataDir: string): Connection {
  try {
    return openLock(lockPath)
  } catch (error) {
    if (isDiskTrouble(error)) throw withoutDisk(lockPath, error)
    if (!isBusy(error)) {
      throw new ConfigError(`The lock ${lockPath} cannot be taken (${(error as Error).message}); check the folder's permissions.`)
    }
    throw new ConfigError(describeOwner(dataDir, lockPath))
  }
}

function describeOwner(dataDir: string, lockPath: string): string {
  // The other process may have been taken down to its lock, or hold only the database of another folder.
  const running = readRunning(dataDir)
  if (running?.url !== undefined) {
    return `A bus is running on ${dataDir} already, at ${running.url} (process ${running.pid}); use that one, or set BUS_DATA_DIR to another folder.`
  }
  return `Another bus holds ${lockPath}; stop it, or set BUS_DATA_DIR and BUS_DB_PATH to files of their own.`
}
