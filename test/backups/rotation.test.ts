import { expect, test } from 'vitest'
import { KEPT, rotate } from '../../src/main/backups/rotation.ts'
import type { BackupKind, BackupView } from '../../src/shared/control/backup-views.ts'

const DAY = 86_400

function backup(kind: BackupKind, day: number): BackupView {
  return { id: `${kind} ${day}`, kind, at: day * DAY, bytes: 1 }
}

/** What is left of backups that were made one a day, each followed by a rotation. */
function after(days: number, lateBy: (day: number) => number = () => 0): BackupView[] {
  let backups: BackupView[] = []
  for (let day = 1; day <= days; day++) {
    backups = [{ ...backup('daily', day), at: day * DAY + lateBy(day) }, ...backups]
    const { promoted, removed } = rotate(backups)
    backups = backups.filter((one) => !removed.includes(one)).map((one) => (promoted.includes(one) ? { ...one, kind: 'weekly' } : one))
  }
  return backups
}

test('seven days are kept, and then a week each for four weeks', () => {
  const backups = after(100)
  expect(backups.filter(({ kind }) => kind === 'daily').map(({ at }) => at / DAY)).toEqual([100, 99, 98, 97, 96, 95, 94])
  const weeks = backups.filter(({ kind }) => kind === 'weekly').map(({ at }) => at / DAY)
  expect(weeks).toHaveLength(KEPT.weekly)
  for (const [i, at] of weeks.slice(1).entries()) expect(weeks[i]! - at).toBe(7)
  expect(100 - weeks[0]!).toBeLessThan(14)
})

test('weeks stay weeks where the hour of the day changes', () => {
  const weeks = after(60, (day) => (day % 2) * 40_000).filter(({ kind }) => kind === 'weekly')
  expect(weeks).toHaveLength(KEPT.weekly)
  for (const [i, { at }] of weeks.slice(1).entries()) expect(Math.round((weeks[i]!.at - at) / DAY)).toBeGreaterThanOrEqual(7)
})

test('a bus that runs now and then keeps what it has', () => {
  expect(rotate([backup('daily', 90), backup('daily', 60), backup('daily', 30)])).toEqual({ promoted: [], removed: [] })
})

test('of other kinds the last three are kept, whatever becomes of the rest', () => {
  const backups = [5, 4, 3, 2, 1].flatMap((day) => [backup('manual', day), backup('restore', day), backup('migration', day)])
  const { promoted, removed } = rotate(backups)
  expect(promoted).toEqual([])
  expect(removed.map(({ id }) => id).toSorted()).toEqual(['manual 1', 'manual 2', 'migration 1', 'migration 2', 'restore 1', 'restore 2'])
})
