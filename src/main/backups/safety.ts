import type { BackupKind, BackupsView, BackupView, DamageView, Recovery } from '../../shared/control/backup-views.ts'
import { databaseDamaged, ProtocolError } from '../../shared/errors.ts'
import type { Bus } from '../bus/bus.ts'
import type { Clock } from '../bus/clock.ts'
import { isDamage } from '../bus/store/database.ts'
import type { Log } from '../log.ts'
import type { BackupFolder } from './backup-folder.ts'
import { Backups } from './backups.ts'
import { viewOf } from './damaged.ts'
import { FileWatch } from './file-watch.ts'
import type { Prepared } from './prepare.ts'
import type { RecoveryFile, WantedRecovery } from './recovery-file.ts'
import { damageText } from './words.ts'

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
  readonly #fileWatch: FileWatch | undefined
  #isDamaged = false
  /** The bus is about to close for a restore. */
  #isRecovering = false
  #isClosed = false
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
      restored: restoredBy(prepared),
      onChange,
      onMade: ({ id, bytes }) => log.info({ backup: id, bytes }, 'a backup was made'),
      onProblem: (problem) => {
        log.error(problem)
        // Perhaps there is nothing any more that could be copied.
        this.#fileWatch?.look()
      },
      onNotice: (notice) => log.warn(notice),
      onDamage: (text) => this.damaged(text)
    })
    if (!prepared.isChecked && !isCareful) void this.backups.check()
    if (process.platform !== 'win32') {
      this.#fileWatch = new FileWatch(databasePath, clock, () =>
        this.#give(`The database file ${databasePath} was deleted or replaced while the bus runs: what it takes in would be lost.`)
      )
    }
  }

  /** What was found of damage while the bus runs, and what can be done about it; null while that is not known. */
  get damage(): DamageView | null {
    return this.#damage
  }

  /** Sentences that a careful user wants to read. */
  get notices(): readonly string[] {
    return [...this.#options.prepared.notices, ...this.backups.notices]
  }

  /** A transaction failed. */
  failed(error: unknown): void {
    if (isDamage(error)) this.damaged((error as Error).message)
  }

  /** The database cannot be read, which `text` says as half a sentence: nothing is written any more. */
  damaged(text: string): void {
    this.#give(damageText(this.#options.databasePath, text))
  }

  /** `what`, a sentence, is told once it is known what can be done about it. */
  #give(what: string): void {
    if (this.#isDamaged) return
    this.#isDamaged = true
    const { bus, log } = this.#options
    const problem = `${what} Nothing is written to it any more.`
    bus.stopWriting()
    log.fatal(problem)
    this.#fileWatch?.close()
    // Of what is damaged there is nothing to keep.
    this.backups.stopSchedule()
    void this.#tell(problem)
  }

  async #tell(problem: string): Promise<void> {
    const newest = await this.backups.newest().catch(() => undefined)
    if (this.#isClosed) return
    const doubt = newest?.unread == null ? '' : ` Its backups could not be read now (${newest.unread}); the start that restores one reads it first.`
    this.#damage = viewOf(problem + doubt, newest?.backup ?? null)
    this.#options.onChange()
  }

  /** Makes a backup. Rejects with 503 `storage_unavailable`, also of a database that is damaged. */
  async make(kind: BackupKind): Promise<BackupView> {
    this.#fileWatch?.look()
    if (this.#isDamaged) throw databaseDamaged()
    return this.backups.make(kind)
  }

  /** Restores a backup, or does what can be done about damage: the bus closes, and comes back with it. Throws 503, also while another one is under way. */
  recover(what: Recovery | BackupView, by: WantedRecovery['by']): void {
    const { clock, file, restart } = this.#options
    if (this.#isRecovering) throw new ProtocolError('shutting_down', 'A restore is under way, and nothing else was changed. Look again when the bus is back.')
    const wanted = typeof what === 'string' ? { what, id: null } : { what: 'backup' as const, id: what.id }
    file.write({ state: 'wanted', at: clock.now(), ...wanted, by })
    this.#isRecovering = true
    try {
      restart()
    } catch (error) {
      this.#isRecovering = false
      // A bus that goes on must not lose at its next start what it takes in from here on.
      file.remove()
      throw error
    }
  }

  close(): Promise<void> {
    this.#isClosed = true
    this.#fileWatch?.close()
    return this.backups.close()
  }
}

function restoredBy({ recovered }: Prepared): BackupsView['restored'] {
  const backup = recovered?.report.backup ?? null
  return backup === null ? null : { at: recovered!.report.at, id: backup.id }
}
