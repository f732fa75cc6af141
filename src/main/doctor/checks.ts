import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { formatBytes } from '../../shared/bytes.ts'
import type { BackupsView } from '../../shared/control/backup-views.ts'
import type { DoctorCheck } from '../../shared/control/doctor-views.ts'
import type { ListenerView } from '../../shared/control/status-views.ts'
import { SIGNATURE_WINDOW } from '../../shared/limits.ts'
import { counted, formatNumber } from '../../shared/numbers.ts'
import type { Gap } from '../bus/clock.ts'
import type { Config } from '../config.ts'
import { noticesOfFolder } from '../data-directory.ts'
import { isReadableByOthers } from '../file-vault.ts'
import { SECRET_SLOTS } from '../secrets.ts'
import type { DiskRoom, StorageFinding } from '../storage/storage-status.ts'
import { fine, moment, named, trouble, warning } from './finding.ts'

/** Seconds after which a daily backup is late: a machine may have been off at its hour. */
const BACKUP_IS_LATE = 3 * 86_400
/** Seconds by which the newest intent may be ahead of the clock. */
const CLOCK_TOLERANCE = 60
/** Seconds in which a clock that was set is worth a word. */
const RECENTLY = 86_400
/** Places that are told by their names. */
const TOLD = 3

/** `room`: of the disk; null where it cannot be had. */
export function checkSpace(found: StorageFinding | null, room: DiskRoom | null): DoctorCheck {
  if (found === null) return named('space', fine(room === null ? 'The disk takes what is written.' : `${formatBytes(room.free)} are free on the disk with ${room.folder}.`))
  const judge = found.state === 'low' || found.state === 'overfull' ? warning : trouble
  return named('space', judge(found.text, found.cure))
}

/** `now`: Unix seconds. */
export function checkBackups({ backups, folder, problem }: Pick<BackupsView, 'backups' | 'folder' | 'problem'>, now: number): DoctorCheck {
  const makeOne = 'Make one now: Back up now, under Storage.'
  if (problem !== null) return named('backups', trouble(problem.text, 'Mend that, then make a backup under Storage.'))
  if (backups.length === 0) return named('backups', warning('There is no backup yet.', makeOne))
  const newest = backups.find(({ isAhead }) => !isAhead)
  if (newest === undefined) return named('backups', warning('All backups are dated ahead of the clock.', `See that the clock is right. ${makeOne}`))
  const said = backups.length === 1 ? `The only backup is of ${moment(newest.at)}` : `The newest of ${backups.length} backups is of ${moment(newest.at)}`
  if (now - newest.at > BACKUP_IS_LATE) return named('backups', warning(`${said}.`, makeOne))
  return named('backups', fine(`${said}; it lies in ${folder}.`))
}

/** `places`: files and folders that only the owner may read; one that is not there is no matter. */
export function checkPermissions(dataDir: string, places: readonly string[]): DoctorCheck {
  const [notice] = noticesOfFolder(dataDir)
  if (notice !== undefined) return named('permissions', trouble(notice, `Run chmod 700 ${dataDir}.`))
  const open = places.filter((place) => existsSync(place) && isReadableByOthers(place))
  if (open.length === 0) return named('permissions', fine(`Only you can read and change what is in ${dataDir}.`))
  const rest = open.length > TOLD ? ` and ${counted(open.length - TOLD, 'more place')}` : ''
  return named('permissions', trouble(`Other users of this machine can read ${open.slice(0, TOLD).join(', ')}${rest}.`, `Run chmod go= ${open.join(' ')}.`))
}

/** Files and folders that nobody else may read. `backups`: the folder of them. */
export function privatePlaces({ dataDir, databasePath }: Pick<Config, 'dataDir' | 'databasePath'>, backups: string): readonly string[] {
  const secrets = [...Object.values(SECRET_SLOTS), 'sharing.keys'].map((name) => join(dataDir, name))
  return [databasePath, `${databasePath}-wal`, ...secrets, backups, ...filesIn(backups)]
}

function filesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder).map((name) => join(folder, name))
  } catch {
    // Backups are looked at by a check of their own.
    return []
  }
}

/** A secret of the bus, and where it lies. */
export interface SecretFact {
  readonly what: string
  readonly place: 'environment' | 'file' | 'keychain' | 'elsewhere'
  /** Whether it can be read there and is the one that counts. */
  readonly isThere: boolean
}

export function checkSecrets(secrets: readonly SecretFact[]): DoctorCheck {
  const lost = secrets.filter(({ isThere }) => !isThere)
  if (lost.length === 0) {
    const where = secrets.map(({ what, place }) => `the ${what} ${PLACES[place]}`).join(', ')
    return named('secrets', fine(`All secrets can be read: ${where}.`))
  }
  const names = lost.map(({ what }) => `the ${what}`).join(' and ')
  const next = 'Whoever knows it can go on using it. Else make a new one: under Keys, or with npm run headless -- --rotate-main-key or --rotate-dashboard-password.'
  return named('secrets', warning(`The bus cannot show ${names}: what counts is not where it is kept.`, next))
}

const PLACES: Readonly<Record<SecretFact['place'], string>> = {
  environment: 'is in the environment',
  file: 'is in a file',
  keychain: 'is in the keychain',
  elsewhere: 'is elsewhere'
}

/** `newest`: when the newest intent was published; null for none. A clock that was set is a warning from what signatures allow for (SPEC 5.2). */
export function checkClock(now: number, newest: number | null, gaps: readonly Gap[]): DoctorCheck {
  const said = `The clock says ${moment(now)}`
  const next = 'Have the system set its clock by the network.'
  if (newest !== null && newest > now + CLOCK_TOLERANCE) {
    return named('clock', trouble(`${said}, but an intent was published at ${moment(newest)}: the clock is behind, or was ahead.`, next))
  }
  const sets = gaps.filter(({ cause, at }) => cause === 'clock' && now - at < RECENTLY)
  const isMuch = ({ seconds }: Gap): boolean => Math.abs(seconds) >= SIGNATURE_WINDOW
  const set = sets.findLast(isMuch) ?? sets.at(-1)
  if (set === undefined) return named('clock', fine(`${said}.`))
  const told = `${said}; it was set ${formatNumber(Math.abs(set.seconds))} s ${set.seconds < 0 ? 'back' : 'forward'} at ${moment(set.at)}.`
  if (!isMuch(set)) return named('clock', fine(told))
  return named('clock', warning(`${told} Signed requests of other machines are refused while their clocks differ from this one by more than ${SIGNATURE_WINDOW} s.`, next))
}

/** Of a bus that runs. */
export function checkPort(listener: ListenerView): DoctorCheck {
  if (listener.state === 'listening') return named('port', fine(`The bus listens at ${listener.url}.`))
  return named('port', trouble(listener.problem, 'Free the port, or choose another one under Settings.'))
}

/** `problem`: why not all is well with sharing; null when it is, or is off. */
export function checkSharing(url: string | null, problem: string | null): DoctorCheck {
  if (problem !== null) return named('sharing', warning(problem, 'See Network in the interface.'))
  return named('sharing', fine(url === null ? 'The bus is not shared with other machines.' : `Other machines reach the bus at ${url}.`))
}
