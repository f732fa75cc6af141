import type { BackupKind, BackupView, DamageView, Recovery } from '../../shared/control/backup-views.ts'
import { databaseDamaged } from '../../shared/errors.ts'
import type { Bus } from '../bus/bus.ts'
import type { Clock } from '../bus/clock.ts'
import { isDamage } from '../bus/store/database.ts'
import type { Log } from '../log.ts'
import type { BackupFolder } from './backup-folder.ts'
import { Backups } from './backups.ts'
import type { Prepared } from './prepare.ts'
import type { RecoveryFile, WantedRecovery } from './recovery-file.ts'

export interface SafetyOptions {
  readonly bus: Bus
  readonly clock: Clock
  readonly log: Log
  readonly databasePath: string
  readonly folder: BackupFolder
  readonly file: RecoveryFile
  /** The module of the thread that copies. */
  readonly threadEntry: URL
  readonly prepared: Prepared
  /** No backups by themselves, and no look for damage. */
  readonly isCareful: boolean
  /** Hears that the status or the backups are others than before. */
  readonly onChange: () => void
  /** Closes the bus and opens it again: only a database that nobody uses can be replaced. */
  readonly restart: () => void
}

/** What a running bus does so that its database can be lost: backups, a look for damage, and the way back. */
export class Safety {
  readonly backups: Backups
  readonly #options: SafetyOptions
  #damage: DamageView | null = null

  constructor(options: SafetyOptions) {
    this.#options = options
    const { bus, clock, log, databasePath, folder, threadEntry, isCareful, onChange, prepared } = options
    this.backups = new Backups({
      databasePath,
      folder,
      threadEntry,
      clock,
      isScheduled: !isCareful,
      operations: () => bus.commitCounts.operations,
      onChange,
      onMade: ({ id, bytes }) => log.info({ backup: id, bytes }, 'a backup was made'),
      onProblem: (problem) => log.error(problem),
      onDamage: (text) => this.damaged(text)
    })
    if (!prepared.isChecked && !isCareful) void this.backups.check()
  }

  /** What was found of damage while the bus runs; null while nothing was. */
  get damage(): DamageView | null {
    return this.#damage
  }

  /** Sentences that a careful user wants to read. */
  get notices(): readonly string[] {
    const { problem } = this.backups
    return [...this.#options.prepared.notices, ...(problem === null ? [] : [problem.text])]
  }

  /** A transaction failed. */
  failed(error: unknown): void {
    if (isDamage(error)) this.damaged((error as Error).message)
  }

  /** The database cannot be read: nothing is written any more. */
  damaged(text: string): void {
    if (this.#damage !== null) return
    const { bus, databasePath, folder, log, onChange } = this.#options
    const newest = folder.list().find(({ kind }) => kind !== 'restore') ?? null
    const problem = `The database ${databasePath} is damaged: ${text}. Nothing is written to it any more.`
    this.#damage = { problem, newest, recoveries: newest === null ? ['empty'] : ['newest', 'empty'] }
    log.fatal(problem)
    bus.stopWriting()
    // Of what is damaged there is nothing to keep.
    this.backups.stopSchedule()
    onChange()
  }

  /** Makes a backup. Rejects with 503 `storage_unavailable`, also of a database that is damaged. */
  async make(kind: BackupKind): Promise<BackupView> {
    if (this.#damage !== null) throw databaseDamaged()
    return this.backups.make(kind)
  }

  /** Restores a backup, or does what can be done about damage: the bus closes, and comes back with it. Throws 503. */
  recover(what: Recovery | BackupView, by: WantedRecovery['by']): void {
    const { file, restart } = this.#options
    const wanted = typeof what === 'string' ? { what, id: null } : { what: 'backup' as const, id: what.id }
    file.write({ state: 'wanted', ...wanted, by })
    restart()
  }

  close(): Promise<void> {
    return this.backups.close()
  }
}
