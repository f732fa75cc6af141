import type { BackupKind, BackupView } from '../../shared/control/backup-views.ts'
import { dayOf } from './schedule.ts'

/** How many of each kind are kept; the oldest daily ones become weekly. */
export const KEPT: Readonly<Record<BackupKind, number>> = { daily: 7, weekly: 4, migration: 3, restore: 3, manual: 3 }

/** Who tries one backup after the other makes a copy each time, and may want the first of them back. */
export const KEPT_RESTORES = { days: 7, most: 10 } as const

const HOUR = 3_600
const DAY = 24 * HOUR
/** A little less than a week: the daily ones are not made at the same second. */
const WEEK = 6.5 * DAY

export interface Rotation {
  /** Daily ones that are weekly from now on. */
  readonly promoted: readonly BackupView[]
  readonly removed: readonly BackupView[]
}

/**
 * What is to become of backups, newest first, now (Unix seconds) that there is another one. Those of `spared`, by their ids, stay as
 * they are. What is ahead of the clock takes nobody's place: of each kind the usual number is kept beside the others, because it may
 * be the clock of today that is wrong.
 */
export function rotate(backups: readonly BackupView[], now: number, spared: ReadonlySet<string>): Rotation {
  const of = (kind: BackupKind, isAhead = false): BackupView[] => backups.filter((one) => one.kind === kind && one.isAhead === isAhead)
  const { promoted, removed } = rotateDays(of('daily'), of('weekly'), spared)
  for (const kind of ['migration', 'manual'] as const) removed.push(...of(kind).slice(KEPT[kind]))
  removed.push(...surplusRestores(of('restore'), now))
  for (const kind of ['daily', 'weekly', 'migration', 'manual'] as const) removed.push(...of(kind, true).slice(KEPT[kind]))
  removed.push(...of('restore', true).slice(KEPT_RESTORES.most))
  const lost = removed.filter(({ id }) => !spared.has(id))
  return { promoted: promoted.filter((one) => !lost.includes(one)), removed: lost }
}

function rotateDays(daily: readonly BackupView[], weekly: readonly BackupView[], spared: ReadonlySet<string>) {
  const { newest, others } = newestOfDays(daily)
  const promoted: BackupView[] = []
  const removed = others
  for (const old of newest.slice(KEPT.daily).toReversed()) {
    if (spared.has(old.id)) continue
    const last = promoted.at(-1) ?? weekly[0]
    if (last === undefined || old.at - last.at >= WEEK) promoted.push(old)
    else removed.push(old)
  }
  removed.push(...[...promoted.toReversed(), ...weekly].slice(KEPT.weekly))
  return { promoted, removed }
}

/** A clock that jumps, or a new time zone, makes several of one day or one hour: they must not push out those of other days. */
function newestOfDays(daily: readonly BackupView[]) {
  const newest: BackupView[] = []
  const others: BackupView[] = []
  for (const one of daily) {
    const next = newest.at(-1)
    if (next !== undefined && (dayOf(next.at) === dayOf(one.at) || next.at - one.at < HOUR)) others.push(one)
    else newest.push(one)
  }
  return { newest, others }
}

/** Where there are too many even of the last days, those in the middle: the oldest shows how all was at first. */
function surplusRestores(restores: readonly BackupView[], now: number): BackupView[] {
  const isKept = ({ at }: BackupView, i: number): boolean => i < KEPT.restore || now - at <= KEPT_RESTORES.days * DAY
  const kept = restores.filter(isKept)
  return [...restores.filter((one) => !kept.includes(one)), ...(kept.length > KEPT_RESTORES.most ? kept.slice(KEPT_RESTORES.most - 1, -1) : [])]
}
