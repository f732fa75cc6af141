import { statfs, stat } from 'node:fs/promises'
import { uptime } from 'node:os'
import { orderForRestore, type BackupKind, type BackupsView, type BackupView } from '../../shared/control/backup-views.ts'
import { ProtocolError } from '../../shared/errors.ts'
import type { Clock } from '../bus/clock.ts'
import { oneAtATime } from '../one-at-a-time.ts'
import type { Flaw } from './check.ts'
import type { BackupFolder } from './backup-folder.ts'
import { KEPT, KEPT_RESTORES } from './rotation.ts'
import { Schedule } from './schedule.ts'
import { runTask, type BackupTask, type TaskResult } from './task.ts'
import { moment } from './words.ts'

/** Bytes that a backup must leave free: it must not be what fills the disk of the bus. */
const HEADROOM = 128 * 1024 ** 2

export interface BackupsOptions {
  readonly databasePath: string
  readonly folder: BackupFolder
  /** The module of the thread that copies. */
  readonly threadEntry: URL
  readonly clock: Clock
  /** Whether they come by themselves. */
  readonly isScheduled: boolean
  /** Operations of the bus so far: tells when it has little to do. */
  readonly operations: () => number
  /** The backup that this start went back to. */
  readonly restored: BackupsView['restored']
  /** Hears that there is another backup, one is being made, or one could not be. */
  readonly onChange: () => void
  /** Hears of a backup that is good, and of one that could not be made. */
  readonly onMade: (backup: BackupView) => void
  readonly onProblem: (problem: string) => void
  /** Hears what became of older ones, as a sentence, where that is not as usual. */
  readonly onNotice: (notice: string) => void
  /** Hears that the database of the running bus is damaged, as half a sentence. */
  readonly onDamage: (text: string) => void
}

/** A backup that can be gone back to, as far as is known. */
export interface Candidate {
  readonly backup: BackupView
  /** Why it could not be read now, as half a sentence, which says nothing against it; null where it was read and is good. */
  readonly unread: string | null
}

/** Backups of a bus that serves: every day and on demand, by a thread of its own that gives way to requests. */
export class Backups {
  readonly #options: BackupsOptions
  readonly #schedule: Schedule | undefined
  #making: BackupKind | null = null
  #problem: BackupsView['problem'] = null
  /** Why those that there are cannot be told, while that is so. */
  #unreadable: BackupsView['problem'] = null
  #notice: string | null = null
  /** Ends what is under way: a copy and a check may be at the same time. */
  readonly #stops = new Set<() => Promise<void>>()
  /** Ids of those that are asked for to be restored: nothing else may remove them meanwhile. */
  readonly #wanted = new Set<string>()
  #isClosed = false

  constructor(options: BackupsOptions) {
    this.#options = options
    const { clock, isScheduled, operations } = options
    // What is wrong with the folder is said from the start on.
    this.#listed()
    if (!isScheduled) return
    this.#schedule = new Schedule({
      clock,
      operations,
      uptime,
      madeAt: () => this.#list().flatMap(({ kind, at }) => (kind === 'daily' ? [at] : [])),
      run: () => this.make('daily').then(() => true, () => false)
    })
  }

  view(): BackupsView {
    const { folder, restored } = this.#options
    const backups = this.#listed()
    return {
      backups,
      totalBytes: backups.reduce((sum, { bytes }) => sum + bytes, 0),
      kept: KEPT,
      keptRestores: KEPT_RESTORES,
      folder: folder.path,
      making: this.#making,
      problem: this.#trouble,
      notice: this.#notice,
      restored
    }
  }

  /** Sentences that a careful user wants to read: why there is no backup, or the last one could not be made, and what had to go for it. */
  get notices(): readonly string[] {
    return [this.#trouble?.text, this.#notice].filter((text) => text != null)
  }

  /**
   * The backup of that name, read again so that it can be restored; the start that restores it reads it once more, so that one that
   * cannot be read now is not refused. Rejects with 404, and with 503 and the reason when it is not good, or cannot be looked for.
   */
  async findForRestore(id: string): Promise<BackupView> {
    const backup = this.#options.folder.find(id)
    if (backup === undefined) throw new ProtocolError('not_found', 'There is no such backup any more.')
    this.#wanted.add(backup.id)
    const result = await this.#read(backup)
    if (this.#isClosed) throw new ProtocolError('shutting_down', 'The bus is shutting down. Nothing was changed.')
    if (result.kind === 'failed' || result.flaw === null) return backup
    this.#wanted.delete(backup.id)
    throw new ProtocolError('storage_unavailable', `The backup ${backup.id} is not good (${result.flaw.text}); choose another one. Nothing was changed.`)
  }

  /**
   * What `newest` means: the newest good backup, read again; where none is known to be good, the newest one that could not be read now.
   * undefined when there is neither. Rejects with 503 where the folder cannot be read.
   */
  async newest(): Promise<Candidate | undefined> {
    let unread: Candidate | undefined
    for (const backup of orderForRestore(this.#list())) {
      const result = await this.#read(backup)
      if (result.kind === 'failed') unread ??= { backup, unread: result.reason }
      else if (result.flaw === null) return { backup, unread: null }
    }
    return unread
  }

  /** Makes a backup, after the one that is under way. Rejects with 503 `storage_unavailable` when there is none; then nothing is left of it. */
  readonly make = oneAtATime(async (kind: BackupKind): Promise<BackupView> => {
    const { clock, onChange, onMade, onProblem } = this.#options
    this.#making = kind
    this.#notice = null
    onChange()
    try {
      const backup = await this.#make(kind)
      this.#problem = null
      this.#noteUnreadable(null)
      onMade(backup)
      return backup
    } catch (error) {
      const text = failureText(error as Error)
      if (!this.#isClosed) onProblem(text)
      this.#problem = { at: clock.now(), text }
      throw new ProtocolError('storage_unavailable', text)
    } finally {
      this.#making = null
      onChange()
    }
  })

  /** Reads the whole database of the running bus, and tells of damage; the answer is what is wrong with it, or why it could not be read. */
  readonly check = oneAtATime(async (): Promise<Flaw | null> => {
    const { databasePath, onDamage } = this.#options
    const result = await this.#run({ kind: 'check', path: databasePath })
    const flaw = result.kind === 'failed' ? { text: result.reason, isDamaged: false } : result.flaw
    if (flaw?.isDamaged === true && !this.#isClosed) onDamage(flaw.text)
    return flaw
  })

  /** From now on none comes by itself. */
  stopSchedule(): void {
    this.#schedule?.close()
  }

  /** Gives up what is under way; nothing is left of it. Never rejects for what is wrong with the folder: that is told. */
  async close(): Promise<void> {
    this.#isClosed = true
    this.stopSchedule()
    await Promise.all([...this.#stops].map((stop) => stop()))
    this.#clear()
  }

  #clear(): void {
    try {
      this.#options.folder.clear()
    } catch (error) {
      this.#options.onNotice(`What an unfinished backup may have left was not removed: ${(error as Error).message}`)
    }
  }

  get #trouble(): BackupsView['problem'] {
    return this.#problem ?? this.#unreadable
  }

  /** Those that there are. Throws where their folder cannot be read, which it tells. */
  #list(): BackupView[] {
    try {
      const backups = this.#options.folder.list()
      this.#noteUnreadable(null)
      return backups
    } catch (error) {
      this.#noteUnreadable((error as Error).message)
      throw error
    }
  }

  /** The same; none where the folder cannot be read. */
  #listed(): BackupView[] {
    try {
      return this.#list()
    } catch {
      return []
    }
  }

  #noteUnreadable(text: string | null): void {
    if (text === (this.#unreadable?.text ?? null)) return
    const { clock, onProblem, onChange } = this.#options
    this.#unreadable = text === null ? null : { at: clock.now(), text }
    if (text !== null) onProblem(text)
    onChange()
  }

  async #make(kind: BackupKind): Promise<BackupView> {
    const backup = await this.#copy(kind)
    try {
      await this.#options.folder.rotate([backup.id, ...this.#wanted])
    } catch (error) {
      this.#tell(`A backup was made, but an older one could not be removed (${(error as Error).message}).`)
    }
    return backup
  }

  async #copy(kind: BackupKind): Promise<BackupView> {
    const { databasePath, folder, clock } = this.#options
    if (this.#isClosed) throw new Error('the bus is shutting down')
    const begun = folder.begin(kind, clock.now())
    try {
      await this.#makeRoom()
      const result = await this.#run({ kind: 'copy', source: databasePath, path: begun.partial })
      if (result.kind === 'failed') throw new Error(result.reason)
      const { flaw } = result
      if (flaw === null) return folder.finish(begun)
      // The copy has every page as the database has it.
      if (flaw.isDamaged) void this.check()
      throw new Error(flaw.text)
    } catch (error) {
      await folder.discard(begun)
      throw error
    }
  }

  #read(backup: BackupView): Promise<TaskResult> {
    return this.#run({ kind: 'check', path: this.#options.folder.file(backup) })
  }

  async #run(task: BackupTask): Promise<TaskResult> {
    if (this.#isClosed) return { kind: 'failed', reason: 'the bus is shutting down' }
    const { result, stop } = runTask(this.#options.threadEntry, task)
    this.#stops.add(stop)
    return result.finally(() => this.#stops.delete(stop))
  }

  #tell(notice: string): void {
    this.#notice = notice
    this.#options.onNotice(notice)
  }

  /** Where the disk has too little room, weekly backups go, the oldest first, but not the newest good backup, and none in vain. */
  async #makeRoom(): Promise<void> {
    const { folder } = this.#options
    const missing = await this.#missing()
    if (missing <= 0) return
    const removed: BackupView[] = []
    for (const backup of await this.#expendable(missing)) {
      if ((await this.#missing()) <= 0) break
      await folder.remove(backup)
      removed.push(backup)
    }
    const of = removed.map(({ at }) => moment(at)).join(', ')
    if (removed.length > 0) {
      this.#tell(`The disk had too little room for a new backup, so that the oldest weekly ones were removed (of ${of}). Make room in ${folder.path}.`)
    }
    if ((await this.#missing()) > 0) throw new Error(`there is not enough room in ${folder.path}`)
  }

  /** Weekly backups that may go, oldest first; none where all of them together have not so many bytes. */
  async #expendable(bytes: number): Promise<BackupView[]> {
    const isEnough = (backups: readonly BackupView[]): boolean => backups.reduce((sum, backup) => sum + backup.bytes, 0) >= bytes
    const weekly = this.#list().filter(({ kind, id }) => kind === 'weekly' && !this.#wanted.has(id))
    // To find the good one takes its time.
    if (!isEnough(weekly)) return []
    const newest = await this.newest()
    // Of what was not read nobody knows whether it can be gone back to.
    if (newest?.unread !== null) return []
    const others = weekly.filter(({ id }) => id !== newest.backup.id)
    return isEnough(others) ? others.toReversed() : []
  }

  /** Bytes that the disk has too little for one more backup. */
  async #missing(): Promise<number> {
    const { folder, databasePath } = this.#options
    const { bavail, blocks, bsize } = await statfs(folder.path)
    const { size } = await stat(databasePath).catch((error: NodeJS.ErrnoException) => {
      throw error.code === 'ENOENT' ? new Error(`the database file ${databasePath} is gone`) : error
    })
    // Some file systems do not know; they say 0 blocks.
    return blocks === 0 ? 0 : size + HEADROOM - bavail * bsize
  }
}

function failureText(error: Error): string {
  const what = 'The backup could not be made'
  return error instanceof ProtocolError ? `${what}. ${error.message}` : `${what}: ${error.message}.`
}
