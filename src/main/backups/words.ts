import type { BackupView } from '../../shared/control/backup-views.ts'
import type { RecoveryReport } from './recovery-file.ts'

/** A moment (Unix seconds), the same wherever it is read: `2026-11-21 19:26 UTC`. */
export function moment(at: number): string {
  return `${new Date(at * 1000).toISOString().slice(0, 16).replace('T', ' ')} UTC`
}

/** What is wrong with a database (`text`, half a sentence), as a sentence. */
export function damageText(path: string, text: string): string {
  return `The database ${path} is damaged: ${text}.`
}

/** What a restore did, and what is missing since. */
export function reportText(report: RecoveryReport): string {
  const { at, backup, asideLog } = report
  const deed =
    backup === null
      ? `The bus ${asideLog === null ? 'began with an empty database' : 'went on with what could be read of its database'} at ${moment(at)}.`
      : `The backup of ${moment(backup.at)} was restored at ${moment(at)}.`
  return [deed, costText(report)].filter((text) => text !== '').join(' ')
}

/** What is missing since a restore, and where what was there before is, in sentences. */
export function costText({ backup, safety, aside, asideLog, losses }: RecoveryReport): string {
  const sentences: string[] = []
  if (losses !== null) sentences.push(...lossTexts(losses))
  else if (backup !== null) {
    sentences.push('What was changed since then is gone; how much that is cannot be told.')
    sentences.push('Keys that were revoked or limited since then let in again as they did then: look through them, and revoke what must not.')
  }
  if (safety !== null) sentences.push(`What was there before is the backup ${safety}.`)
  if (asideLog !== null) sentences.push('Its last changes are gone.')
  if (aside !== null) sentences.push(`The damaged database is kept as ${aside}.`)
  return sentences.join(' ')
}

function lossTexts({ gone, reopened, keysGone, keysBack, keysKept }: NonNullable<RecoveryReport['losses']>): string[] {
  const texts = [gone === 0 ? 'No intent is gone.' : `${counted(gone, 'intent')} published since then ${isOrAre(gone)} gone.`]
  if (reopened > 0) texts.push(`${counted(reopened, 'intent')} that ${reopened === 1 ? 'was' : 'were'} finished since then ${isOrAre(reopened)} open again.`)
  if (keysGone > 0) texts.push(`${counted(keysGone, 'key')} made since then ${isOrAre(keysGone)} gone.`)
  if (keysBack > 0) texts.push(`${counted(keysBack, 'key')} of then that ${keysBack === 1 ? 'was' : 'were'} not there any more ${isOrAre(keysBack)} back.`)
  if (keysKept > 0) texts.push(`${counted(keysKept, 'key')} revoked or changed since then ${keysKept === 1 ? 'stays' : 'stay'} so.`)
  return texts
}

/** What a damaged database can be told of its newest backup. */
export function newestText(newest: BackupView | null): string {
  return newest === null ? 'There is no good backup of it.' : `Its newest good backup is of ${moment(newest.at)}.`
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`
}

function isOrAre(count: number): string {
  return count === 1 ? 'is' : 'are'
}
