import { statfs, stat } from 'node:fs/promises'
import type { BackupKind, BackupsView, BackupView } from '../../shared/control/backup-views.ts'
import { ProtocolError } from '../../shared/errors.ts'
import type { Clock } from '../bus/clock.ts'
import { oneAtATime } from '../one-at-a-time.ts'
import type { Flaw } from './check.ts'
import { removeDatabase, type BackupFolder } from './backup-folder.ts'
import { Schedule } from './schedule.ts'
import { runTask, type BackupTask, type TaskResult } from './task.ts'

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
  /** Hears that there is another backup, one is being made, or one could not be. */
  readonly onChange: () => void
  /** Hears of a backup that is good, and of one that could not be made. */
  readonly onMade: (backup: BackupView) => void
  readonly onProblem: (problem: string) => void
  /** Hears that the database of the running bus is damaged, as half a sentence. */
  readonly onDamage: (text: string) => void
}

/** Backups of a bus that serves: every day and on demand, by a thread of its own that gives way to requests. */
export class Backups {
  readonly #options: BackupsOptions
  readonly #schedule: Schedule | undefined
  #making: BackupKind | null = null
  #problem: BackupsView['problem'] = null
  #stopTask: (() => Promise<void>) | undefined
  #isClosed = false

  constructor(options: BackupsOptions) {
    this.#options = options
    const { clock, folder, isScheduled, operations } = options
    if (!isScheduled) return
    this.#schedule = new Schedule({
      clock,
      operations,
      lastAt: () => folder.list().find(({ kind }) => kind === 'daily')?.at,
      run: () => this.make('daily').then(() => true, () => false)
    })
  }

  view(): BackupsView {
    const { folder } = this.#options
    return { backups: folder.list(), folder: folder.path, making: this.#making, problem: this.#problem }
  }

  /** Why the last backup could not be made; null when it could. */
  get problem(): BackupsView['problem'] {
    return this.#problem
  }

  /** The backup of that name. Throws 404. */
  find(id: string): BackupView {
    const backup = this.#options.folder.find(id)
    if (backup === undefined) throw new ProtocolError('not_found', 'There is no such backup any more.')
    return backup
  }

  /** Makes a backup, after the one that is under way. Rejects with 503 `storage_unavailable` when there is none; then nothing is left of it. */
  readonly make = oneAtATime(async (kind: BackupKind): Promise<BackupView> => {
    const { clock, onChange, onMade, onProblem } = this.#options
    this.#making = kind
    onChange()
    try {
      const backup = await this.#make(kind)
      this.#problem = null
      onMade(backup)
      return backup
    } catch (error) {
      const text = `The backup could not be made: ${(error as Error).message}.`
      if (!this.#isClosed) onProblem(text)
      this.#problem = { at: clock.now(), text }
      throw new ProtocolError('storage_unavailable', text)
    } finally {
      this.#making = null
      onChange()
    }
  })

  /** Reads the whole database of the running bus, and tells of damage; the answer is what is wrong with it. */
  readonly check = oneAtATime(async (): Promise<Flaw | null> => {
    const { databasePath, onDamage } = this.#options
    const { flaw } = await this.#run({ kind: 'check', path: databasePath })
    if (flaw?.isDamaged === true && !this.#isClosed) onDamage(flaw.text)
    return flaw
  })

  /** From now on none comes by itself. */
  stopSchedule(): void {
    this.#schedule?.close()
  }

  /** Gives up what is under way; nothing is left of it. */
  async close(): Promise<void> {
    this.#isClosed = true
    this.stopSchedule()
    await this.#stopTask?.()
    this.#options.folder.clear()
  }

  async #make(kind: BackupKind): Promise<BackupView> {
    const { databasePath, folder, clock } = this.#options
    if (this.#isClosed) throw new Error('the bus is shutting down')
    const begun = folder.begin(kind, clock.now())
    try {
      await this.#demandRoom(folder.path)
      const { flaw } = await this.#run({ kind: 'copy', source: databasePath, path: begun.partial })
      if (flaw === null) return await folder.finish(begun)
      // The copy has every page as the database has it.
      if (flaw.isDamaged) void this.check()
      throw new Error(flaw.text)
    } catch (error) {
      removeDatabase(begun.partial)
      throw error
    }
  }

  async #run(task: BackupTask): Promise<TaskResult> {
    const { result, stop } = runTask(this.#options.threadEntry, task)
    this.#stopTask = stop
    return result.finally(() => (this.#stopTask = undefined))
  }

  async #demandRoom(folder: string): Promise<void> {
    const { bavail, bsize } = await statfs(folder)
    const { size } = await stat(this.#options.databasePath)
    if (bavail * bsize < size + HEADROOM) throw new Error(`there is not enough room in ${folder}`)
  }
}
