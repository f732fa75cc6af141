import { describe, expect, test } from 'vitest'
import type { BackupView } from '../../src/shared/control/backup-views.ts'
import { checkBackups, checkClock, checkPort, checkSharing, checkSpace } from '../../src/main/doctor/checks.ts'
import { storageFinding, type DiskRoom, type StorageSigns } from '../../src/main/storage/storage-status.ts'

const NOW = 1_790_000_000
const DAY = 86_400

function backup(age: number): BackupView {
  return { id: 'b', kind: 'daily', at: NOW - age, bytes: 1, isAhead: age < 0 }
}

describe('backups', () => {
  const folder = '/backups'
  test.each([
    [[], 'warning', 'There is no backup yet.'],
    [[backup(DAY), backup(5 * DAY)], 'fine', 'The newest of 2 backups is of 2026-09-20 14:13 UTC; it lies in /backups.'],
    [[backup(4 * DAY)], 'warning', 'The only backup is of 2026-09-17 14:13 UTC.'],
    [[backup(DAY), backup(-DAY)], 'fine', 'The newest of 2 backups is of 2026-09-20 14:13 UTC; it lies in /backups.'],
    [[backup(-DAY)], 'warning', 'All backups are dated ahead of the clock.']
  ])('%j', (backups, outcome, text) => {
    expect(checkBackups({ backups, folder, problem: null }, NOW)).toMatchObject({ outcome, text })
  })

  test('that fail are trouble, however new the last one is', () => {
    const problem = { at: NOW, text: 'The backup could not be made: there is not enough room.' }
    expect(checkBackups({ backups: [backup(0)], folder, problem }, NOW)).toMatchObject({ outcome: 'trouble', text: problem.text })
  })
})

describe('the disk', () => {
  const GB = 1024 ** 3
  const signs = { trouble: null, isOverfull: false, maxMegabytes: 1_024, folder: '/data', refusal: null }
  const check = (room: DiskRoom | null, more: Partial<StorageSigns> = {}) => checkSpace(storageFinding({ ...signs, room, ...more }), room)
  const room = (free: number): DiskRoom => ({ free, total: 100 * GB, folder: '/data' })

  test('its room is told in the units of the interface', () => {
    expect(check(room(75.3 * GB))).toMatchObject({ outcome: 'fine', text: '75 GB are free on the disk with /data.', next: null })
    expect(check(null)).toMatchObject({ outcome: 'fine', text: 'The disk takes what is written.' })
    expect(check(room(1.9 * GB))).toMatchObject({ outcome: 'warning', text: expect.stringContaining('Only 1.9 GB left') })
  })

  test('less than 1 MB is trouble, also before anything is refused', () => {
    expect(check(room(1024 ** 2 - 1))).toMatchObject({ outcome: 'trouble', text: expect.stringContaining('Less than 1 MB is left') })
    expect(check(room(1024 ** 2))).toMatchObject({ outcome: 'warning' })
  })

  test('each state has one cure, and the bound is that of one only', () => {
    const found = [
      check(room(GB)),
      check(room(0)),
      check(room(50 * GB), { trouble: 'SQLITE_FULL' }),
      check(room(50 * GB), { trouble: 'SQLITE_IOERR_WRITE' }),
      check(room(50 * GB), { refusal: { folder: '/data', reason: 'EROFS' } })
    ]
    for (const { text, next } of found) {
      expect(text).toContain('/data')
      expect(`${text} ${next}`).not.toContain('bound')
      expect(text).not.toContain(next)
    }
    expect(found.slice(1).map(({ outcome }) => outcome)).toEqual(['trouble', 'trouble', 'trouble', 'trouble'])
    expect(check(room(50 * GB), { isOverfull: true })).toMatchObject({ outcome: 'warning', text: expect.stringContaining('its bound of 1.0 GB'), next: expect.stringContaining('Raise the bound') })
  })
})

describe('a clock that was set', () => {
  const set = (seconds: number, ago = 60) => ({ at: NOW - ago, seconds, cause: 'clock' as const })

  test.each([3, -299])('by %d s is told, and is no matter', (seconds) => {
    const { outcome, text, next } = checkClock(NOW, null, [set(seconds)])
    expect({ outcome, next }).toEqual({ outcome: 'fine', next: null })
    expect(text).toContain(`it was set ${Math.abs(seconds)} s ${seconds < 0 ? 'back' : 'forward'}`)
    expect(text).not.toContain('refused')
  })

  test('by as much as signatures allow for is a warning, also when it was set by a little since', () => {
    for (const gaps of [[set(-300)], [set(-300, 120), set(3)]]) {
      expect(checkClock(NOW, null, gaps)).toMatchObject({ outcome: 'warning', text: expect.stringMatching(/it was set 300 s back .*Signed requests .* refused .* more than 300 s/) })
    }
    expect(checkClock(NOW, null, [set(-300, 2 * DAY)])).toMatchObject({ outcome: 'fine', text: expect.not.stringContaining('set') })
  })
})

test('port and sharing are told with what to do', () => {
  expect(checkPort({ state: 'failed', host: '127.0.0.1', port: 7610, problem: 'Taken.' })).toMatchObject({ outcome: 'trouble', text: 'Taken.' })
  expect(checkSharing(null, null).text).toBe('The bus is not shared with other machines.')
  expect(checkSharing('https://10.0.0.2:7611', null)).toMatchObject({ outcome: 'fine' })
  expect(checkSharing(null, 'Waits.')).toMatchObject({ outcome: 'warning', next: expect.any(String) })
})
