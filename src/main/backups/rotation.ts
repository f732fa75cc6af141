import type { BackupKind, BackupView } from '../../shared/control/backup-views.ts'

/** How many of each kind are kept; the oldest daily ones become weekly. */
export const KEPT: Readonly<Record<BackupKind, number>> = { daily: 7, weekly: 4, migration: 3, restore: 3, manual: 3 }

/** A little less than a week: the daily ones are not made at the same second. */
const WEEK = 6.5 * 86_400

export interface Rotation {
  /** Daily ones that are weekly from now on. */
  readonly promoted: readonly BackupView[]
  readonly removed: readonly BackupView[]
}

/** What is to become of backups, newest first, now that there is another one. */
export function rotate(backups: readonly BackupView[]): Rotation {
  const of = (kind: BackupKind): BackupView[] => backups.filter((backup) => backup.kind === kind)
  const weekly = of('weekly')
  const promoted: BackupView[] = []
  const removed: BackupView[] = []
  for (const daily of of('daily').slice(KEPT.daily).toReversed()) {
    const last = promoted.at(-1) ?? weekly[0]
    if (last === undefined || daily.at - last.at >= WEEK) promoted.push(daily)
    else removed.push(daily)
  }
  removed.push(...[...promoted.toReversed(), ...weekly].slice(KEPT.weekly))
  for (const kind of ['migration', 'restore', 'manual'] as const) removed.push(...of(kind).slice(KEPT[kind]))
  return { promoted: promoted.filter((backup) => !removed.includes(backup)), removed }
}
