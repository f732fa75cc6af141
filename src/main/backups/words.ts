import type { BackupView } from '../../shared/control/backup-views.ts'
import type { RecoveryReport } from './recovery-file.ts'

/** A moment (Unix seconds) by the clock on the wall: `2026-11-21 19:26`. */
export function moment(at: number): string {
  const date = new Date(at * 1000)
  const pad = (number: number): string => String(number).padStart(2, '0')
  return `${date.getFullYear()}-${pad(date.getMonth() + 1)}-${pad(date.getDate())} ${pad(date.getHours())}:${pad(date.getMinutes())}`
}

/** What a restore did, and what is missing since. */
export function reportText({ at, backup, safety, aside, asideLog, losses }: RecoveryReport): string {
  const sentences = [
    backup === null
      ? `On ${moment(at)} the bus ${asideLog === null ? 'began with an empty database' : 'went on with what could be read of its database'}.`
      : `On ${moment(at)} the backup of ${moment(backup.at)} was restored.`
  ]
  if (losses !== null) sentences.push(...lossTexts(losses))
  else if (backup !== null) sentences.push('What was changed since then is gone; how much that is cannot be told.')
  if (safety !== null) sentences.push(`What was there before is the backup ${safety}.`)
  if (aside !== null) sentences.push(`The damaged database is kept as ${aside}.`)
  if (asideLog !== null) sentences.push(`Its last changes are gone; the damaged log is kept as ${asideLog}.`)
  return sentences.join(' ')
}

function lossTexts({ gone, reopened, keysGone, keysBack }: NonNullable<RecoveryReport['losses']>): string[] {
  const texts = [gone === 0 ? 'No intent is gone.' : `${counted(gone, 'intent')} published since then ${isOrAre(gone)} gone.`]
  if (reopened > 0) texts.push(`${counted(reopened, 'intent')} that ${reopened === 1 ? 'was' : 'were'} finished since then ${isOrAre(reopened)} open again.`)
  if (keysGone > 0) texts.push(`${counted(keysGone, 'key')} made since then ${isOrAre(keysGone)} gone.`)
  if (keysBack > 0) texts.push(`${counted(keysBack, 'key')} revoked since then ${keysBack === 1 ? 'counts' : 'count'} again.`)
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
