import { expect, test } from 'vitest'
import { KEPT, KEPT_RESTORES, rotate } from '../../src/main/backups/rotation.ts'
import type { BackupKind, BackupView } from '../../src/shared/control/backup-views.ts'

const DAY = 86_400

function backup(kind: BackupKind, day: number, isAhead = false): BackupView {
  return { id: `${kind} ${day}`, kind, at: day * DAY, bytes: 1, isAhead }
}

/** What becomes of backups on a day; `spared`: ids. */
function onDay(day: number, backups: readonly BackupView[], spared: readonly string[] = []): { promoted: string[]; removed: string[] } {
  const { promoted, removed } = rotate(backups, day * DAY, new Set(spared))
  return { promoted: promoted.map(({ id }) => id), removed: removed.map(({ id }) => id) }
}

/** What is left of backups that were made one a day, each followed by a rotation. */
function after(days: number, lateBy: (day: number) => number = () => 0): BackupView[] {
  let backups: BackupView[] = []
  for (let day = 1; day <= days; day++) {
    backups = [{ ...backup('daily', day), at: day * DAY + lateBy(day) }, ...backups]
    const { promoted, removed } = rotate(backups, (day + 1) * DAY, new Set())
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
  expect(onDay(90, [backup('daily', 90), backup('daily', 60), backup('daily', 30)])).toEqual({ promoted: [], removed: [] })
})

test('of other kinds the last three are kept, whatever becomes of the rest', () => {
  const backups = [50, 40, 30, 20, 10].flatMap((day) => [backup('manual', day), backup('restore', day), backup('migration', day)])
  const { promoted, removed } = onDay(50, backups)
  expect(promoted).toEqual([])
  expect(removed.toSorted()).toEqual(['manual 10', 'manual 20', 'migration 10', 'migration 20', 'restore 10', 'restore 20'])
})

test('many of one day, or around midnight, take the place of one day', () => {
  /** By the clock on the wall. */
  const daily = (date: number, hour: number): BackupView => backup('daily', new Date(2026, 8, date, 0, hour * 60).getTime() / 1000 / DAY)
  const ids = (backups: readonly BackupView[]): string[] => backups.map(({ id }) => id)
  const now = daily(21, 0).at / DAY
  const others = [19, 18, 17, 16, 15, 14].map((date) => daily(date, 12))
  const today = [20, 15, 10, 5, 1].map((hour) => daily(20, hour))
  expect(onDay(now, [...today, ...others]).removed).toEqual(ids(today.slice(1)))
  const aroundMidnight = [daily(20, 0.5), daily(20, 0.2), daily(19, 23.8)]
  expect(onDay(now, [...aroundMidnight, ...others.slice(1)]).removed).toEqual(ids(aroundMidnight.slice(1)))
})

test('what is ahead of the clock takes no place, and keeps no daily one from being weekly', () => {
  const days = [20, 19, 18, 17, 16, 15, 14].map((day) => backup('daily', day))
  const ahead = [...[400, 399, 398].map((day) => backup('daily', day, true)), backup('weekly', 390, true)]
  expect(onDay(20, [...days, ...ahead])).toEqual({ promoted: [], removed: [] })
  expect(onDay(20, [...days, backup('daily', 13), ...ahead])).toEqual({ promoted: ['daily 13'], removed: [] })
})

test('a clock that is behind loses nothing, and what is ahead of it is bounded too', () => {
  const days = Array.from({ length: 9 }, (_, i) => backup('daily', 400 - i, true))
  const weeks = [390, 383, 376, 369].map((day) => backup('weekly', day, true))
  const copies = Array.from({ length: 10 }, (_, i) => backup('restore', 400 - i, true))
  expect(onDay(2, [backup('daily', 2), ...days, ...weeks, ...copies])).toEqual({ promoted: [], removed: ['daily 393', 'daily 392'] })
})

test('the one just made and the one that is being restored stay as they are', () => {
  const manual = [5, 4, 3, 2].map((day) => backup('manual', day))
  expect(onDay(6, manual, ['manual 2']).removed).toEqual([])
  const days = Array.from({ length: 9 }, (_, i) => backup('daily', 20 - i))
  expect(onDay(20, days, ['daily 12'])).toEqual({ promoted: ['daily 13'], removed: [] })
})

test('who tries one backup after the other finds the state of the beginning among the last ten', () => {
  let copies: BackupView[] = [backup('restore', 1)]
  for (let n = 0; n < 20; n++) {
    copies = [backup('restore', 20 + n / 100), ...copies]
    const { removed } = rotate(copies, (20 + n / 100) * DAY, new Set())
    copies = copies.filter((one) => !removed.includes(one))
  }
  expect(copies).toHaveLength(KEPT_RESTORES.most)
  expect(copies.at(-1)!.at).toBe(20 * DAY)
  expect(onDay(40, copies).removed).toHaveLength(KEPT_RESTORES.most - KEPT.restore)
})
