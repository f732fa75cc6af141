import { join } from 'node:path'
import { RESTORED, type Recovery } from '../../shared/control/backup-views.ts'
import type { Bus } from '../bus/bus.ts'
import type { Clock } from '../bus/clock.ts'
import { DamagedDatabaseError } from '../bus/store/database.ts'
import type { Config } from '../config.ts'
import type { Host } from '../host.ts'
import type { Log } from '../log.ts'
import { BackupFolder } from './backup-folder.ts'
import { BusDamagedError, damageView } from './damaged.ts'
import { prepareDatabase, type Prepared } from './prepare.ts'
import { RecoveryFile, type RecoveryReport } from './recovery-file.ts'
import { Safety, type SafetyOptions } from './safety.ts'
import { costText, moment } from './words.ts'

/** What a start is asked to do about its database: to restore the backup of that name, or what can be done about damage. */
export type AskedRecovery = Recovery | { readonly backup: string }

export interface SafetyNetOptions {
  readonly config: Pick<Config, 'dataDir' | 'databasePath'>
  readonly host: Pick<Host, 'shell' | 'vault'>
  readonly log: Log
  readonly clock: Clock
}

export interface Surroundings extends Pick<SafetyOptions, 'threadEntry' | 'isCareful' | 'restart'> {
  /** What tells operators; undefined while there is none yet. */
  readonly feed: () => { noteStatus(): void; noteChanged(what: 'backups'): void } | undefined
}

/** Where a data directory keeps its backups. */
export function backupFolderOf(dataDir: string): BackupFolder {
  return new BackupFolder(join(dataDir, 'backups'))
}

/** What is around a database from before it is opened: damage, restores, backups. */
export class SafetyNet {
  readonly #options: SafetyNetOptions
  readonly #folder: BackupFolder
  readonly #file: RecoveryFile
  #prepared: Prepared = { recovered: undefined, notices: [], isChecked: true }

  constructor(options: SafetyNetOptions) {
    const { dataDir } = options.config
    this.#options = options
    this.#folder = backupFolderOf(dataDir)
    this.#file = new RecoveryFile(join(dataDir, 'restore.json'))
  }

  /** Before the database is opened, as `prepareDatabase`. */
  async prepare(asked: AskedRecovery | undefined): Promise<void> {
    const { config, host, log, clock } = this.#options
    const wanted = asked && { state: 'wanted' as const, at: clock.now(), ...whatIs(asked), by: { actor: host.shell, address: '' } }
    this.#prepared = await prepareDatabase({
      databasePath: config.databasePath,
      folder: this.#folder,
      file: this.#file,
      vault: host.vault,
      now: clock.now(),
      log,
      asked: wanted
    })
  }

  /** An error of opening the database; where it is damage, with what can be done about it. */
  explain(error: unknown): unknown {
    return error instanceof DamagedDatabaseError ? new BusDamagedError(damageView(error.message, false, this.#folder)) : error
  }

  /** The same around the bus that runs on it. */
  over(bus: Bus, { feed, ...rest }: Surroundings): Safety {
    const { config, log, clock } = this.#options
    const { recovered } = this.#prepared
    if (recovered !== undefined) {
      const { by, report } = recovered
      bus.audit.note({ event: 'backup.restored', ...by, subject: subjectOf(report), detail: costText(report) })
    }
    const { databasePath } = config
    return new Safety({
      bus,
      clock,
      log,
      databasePath,
      folder: this.#folder,
      file: this.#file,
      prepared: this.#prepared,
      onChange() {
        feed()?.noteStatus()
        feed()?.noteChanged('backups')
      },
      ...rest
    })
  }
}

/** What the trail says that the bus went on with. */
function subjectOf({ backup, asideLog }: RecoveryReport): string {
  if (backup !== null) return moment(backup.at)
  return RESTORED[asideLog === null ? 'empty' : 'readable']
}

function whatIs(asked: AskedRecovery) {
  return typeof asked === 'string' ? { what: asked, id: null } : { what: 'backup' as const, id: asked.backup }
}
