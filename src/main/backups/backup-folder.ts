import { chmodSync, existsSync, mkdirSync, readdirSync, rmSync, statSync, type Stats } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { BACKUP_KINDS, type BackupKind, type BackupView } from '../../shared/control/backup-views.ts'
import { ProtocolError } from '../../shared/errors.ts'
import { systemClock, type Clock } from '../bus/clock.ts'
import { replaceFile, syncDirectory } from '../files.ts'
import { rotate } from './rotation.ts'

const NAME = new RegExp(`^(\\d{4}-\\d\\d-\\d\\dT)(\\d\\d)(\\d\\d)(\\d\\d\\.\\d{3}Z)-(${BACKUP_KINDS.join('|')})$`)
const SUFFIX = '.db'
/** Of a backup that is being written: nothing counts before it is complete and was read again. */
const PARTIAL = '.part'
/** What SQLite keeps beside a database. */
const BESIDE = ['-wal', '-shm', '-journal'] as const
/** Seconds that a clock may be set back by without more ado. */
const TOLERANCE = 60

/** The files of all backups, named by the moment that they show (UTC) and their kind. */
export class BackupFolder {
  readonly path: string
  readonly #clock: Pick<Clock, 'now'>

  constructor(path: string, clock: Pick<Clock, 'now'> = systemClock) {
    this.path = path
    this.#clock = clock
  }

  /**
   * All backups, newest first; those that are ahead of the clock come last. Throws ProtocolError `storage_unavailable` where the folder
   * cannot be read: what the bus can do without them it must do all the same.
   */
  list(): BackupView[] {
    const latest = this.#clock.now() + TOLERANCE
    const backups = this.#files().flatMap((file) => this.#read(file, latest) ?? [])
    return backups.toSorted((a, b) => Number(a.isAhead) - Number(b.isAhead) || b.at - a.at)
  }

  /** The backup of that name, with or without `.db`; undefined when there is none. Throws as `list`. */
  find(name: string): BackupView | undefined {
    return this.list().find(({ id }) => id === name || id + SUFFIX === name)
  }

  file({ id }: Pick<BackupView, 'id'>): string {
    return join(this.path, id + SUFFIX)
  }

  /** Where a backup of now (Unix seconds) is to be written; the folder is there then. Throws what the system throws. */
  begin(kind: BackupKind, now: number): { readonly id: string; readonly partial: string } {
    mkdirSync(this.path, { recursive: true, mode: 0o700 })
    if (process.platform !== 'win32') chmodSync(this.path, 0o700)
    const id = idOf(kind, now)
    const partial = join(this.path, id + PARTIAL)
    removeDatabase(partial)
    return { id, partial }
  }

  /** The backup that was begun is complete: from here on it counts, also after a crash. Which ones are surplus then tells `rotate`. */
  finish({ id, partial }: { readonly id: string; readonly partial: string }): BackupView {
    replaceFile(partial, this.file({ id }))
    syncDirectory(this.path)
    return this.find(id)!
  }

  /** Removes surplus backups, and makes daily ones weekly; never those of `spared`, by their ids: the one just made, one that is being restored. */
  async rotate(spared: readonly string[]): Promise<void> {
    const { promoted, removed } = rotate(this.list(), this.#clock.now(), new Set(spared))
    for (const { id, at } of promoted) replaceFile(this.file({ id }), this.file({ id: idOf('weekly', at) }))
    for (const backup of removed) await this.remove(backup)
  }

  async remove(backup: Pick<BackupView, 'id'>): Promise<void> {
    // Not in this thread: to give back hundreds of megabytes takes a file system some time.
    await rm(this.file(backup), { force: true })
  }

  /** Removes what there is of a backup that failed; not in this thread, as `remove`. */
  async discard({ partial }: { readonly partial: string }): Promise<void> {
    for (const suffix of ['', ...BESIDE]) await rm(partial + suffix, { force: true })
  }

  /** Removes what backups that were never finished have left. Throws as `list`, also where the folder cannot be written to. */
  clear(): void {
    const left = this.#files().filter(isPartial)
    try {
      for (const file of left) rmSync(join(this.path, file), { force: true })
    } catch (error) {
      throw this.#refusal('written to', error)
    }
  }

  #files(): string[] {
    try {
      return existsSync(this.path) ? readdirSync(this.path) : []
    } catch (error) {
      throw this.#refusal('read', error)
    }
  }

  #refusal(what: 'read' | 'written to', error: unknown): ProtocolError {
    const { code, message } = error as NodeJS.ErrnoException
    const reason = code === 'ENOTDIR' ? 'it is no folder' : (code ?? message)
    return new ProtocolError(
      'storage_unavailable',
      `The folder of the backups ${this.path} cannot be ${what} (${reason}). Make it a folder that the bus may read and write, so that there are backups again.`
    )
  }

  #read(file: string, latest: number): BackupView | undefined {
    if (!file.endsWith(SUFFIX)) return undefined
    const id = file.slice(0, -SUFFIX.length)
    const [, day, hour, minute, rest, kind] = NAME.exec(id) ?? []
    if (day === undefined) return undefined
    const at = Date.parse(`${day}${hour}:${minute}:${rest}`) / 1000
    const stats = this.#statsOf(file)
    if (stats?.isFile() !== true || Number.isNaN(at)) return undefined
    return { id, kind: kind as BackupKind, at, bytes: stats.size, isAhead: at > latest }
  }

  #statsOf(file: string): Stats | undefined {
    try {
      return statSync(join(this.path, file), { throwIfNoEntry: false })
    } catch (error) {
      throw this.#refusal('read', error)
    }
  }
}

/** Whether a file is of a backup that was begun: whatever else users keep in the folder is theirs. */
function isPartial(file: string): boolean {
  const database = BESIDE.reduce((name, suffix) => (name.endsWith(suffix) ? name.slice(0, -suffix.length) : name), file)
  return database.endsWith(PARTIAL) && NAME.test(database.slice(0, -PARTIAL.length))
}

/** Removes the file of a database that nobody uses, and what SQLite keeps beside one. */
export function removeDatabase(path: string): void {
  for (const suffix of ['', ...BESIDE]) rmSync(path + suffix, { force: true })
}

function idOf(kind: BackupKind, at: number): string {
  const [day, time] = new Date(Math.round(at * 1000)).toISOString().split('T')
  return `${day}T${time!.replaceAll(':', '')}-${kind}`
}
