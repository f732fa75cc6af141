import { chmodSync, existsSync, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { BACKUP_KINDS, type BackupKind, type BackupView } from '../../shared/control/backup-views.ts'
import { systemClock, type Clock } from '../bus/clock.ts'
import { syncDirectory } from '../files.ts'
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

  /** All backups, newest first; those that are ahead of the clock come last. */
  list(): BackupView[] {
    if (!existsSync(this.path)) return []
    const latest = this.#clock.now() + TOLERANCE
    const backups = readdirSync(this.path).flatMap((file) => this.#read(file, latest) ?? [])
    return backups.toSorted((a, b) => Number(a.isAhead) - Number(b.isAhead) || b.at - a.at)
  }

  /** The backup of that name, with or without `.db`; undefined when there is none. */
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
  async finish({ id, partial }: { readonly id: string; readonly partial: string }): Promise<BackupView> {
    await rename(partial, this.file({ id }))
    syncDirectory(this.path)
    return this.find(id)!
  }

  /** Removes surplus backups, and makes daily ones weekly; never those of `spared`, by their ids: the one just made, one that is being restored. */
  async rotate(spared: readonly string[]): Promise<void> {
    const { promoted, removed } = rotate(this.list(), this.#clock.now(), new Set(spared))
    for (const { id, at } of promoted) await rename(this.file({ id }), this.file({ id: idOf('weekly', at) }))
    for (const backup of removed) await this.remove(backup)
  }

  async remove(backup: Pick<BackupView, 'id'>): Promise<void> {
    // Not in this thread: to give back hundreds of megabytes takes a file system some time.
    await rm(this.file(backup), { force: true })
  }

  /** Removes what backups that were never finished have left. */
  clear(): void {
    if (!existsSync(this.path)) return
    for (const file of readdirSync(this.path)) if (isPartial(file)) rmSync(join(this.path, file), { force: true })
  }

  #read(file: string, latest: number): BackupView | undefined {
    if (!file.endsWith(SUFFIX)) return undefined
    const id = file.slice(0, -SUFFIX.length)
    const [, day, hour, minute, rest, kind] = NAME.exec(id) ?? []
    if (day === undefined) return undefined
    const at = Date.parse(`${day}${hour}:${minute}:${rest}`) / 1000
    const stats = statSync(join(this.path, file), { throwIfNoEntry: false })
    if (stats?.isFile() !== true || Number.isNaN(at)) return undefined
    return { id, kind: kind as BackupKind, at, bytes: stats.size, isAhead: at > latest }
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
