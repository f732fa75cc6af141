import { describe, expect, test } from 'vitest'
import type { BackupView } from '../../src/shared/control/backup-views.ts'
import { checkBackups, checkPort, checkSharing, checkSpace } from '../../src/main/doctor/checks.ts'

const NOW = 1_790_000_000
const DAY = 86_400

function backup(age: number): BackupView {
  return { id: 'b', kind: 'daily', at: NOW - age, bytes: 1 }
}

describe('backups', () => {
  const folder = '/backups'
  test.each([
    [[], 'warning', 'There is no backup yet.'],
    [[backup(DAY), backup(5 * DAY)], 'fine', 'The newest of 2 backups is of 2026-09-20 14:13 UTC; it lies in /backups.'],
    [[backup(4 * DAY)], 'warning', 'The only backup is of 2026-09-17 14:13 UTC.']
  ])('%j', (backups, outcome, text) => {
    expect(checkBackups({ backups, folder, problem: null }, NOW)).toMatchObject({ outcome, text })
  })

  test('that fail are trouble, however new the last one is', () => {
    const problem = { at: NOW, text: 'The backup could not be made: there is not enough room.' }
    expect(checkBackups({ backups: [backup(0)], folder, problem }, NOW)).toMatchObject({ outcome: 'trouble', text: problem.text })
  })
})

test('a disk that takes nothing is trouble, little room a warning', () => {
  expect(checkSpace({ state: 'fine', problem: null }, 5 * 1024 ** 3)).toMatchObject({ outcome: 'fine', text: '5,120 MB are free on the disk.' })
  expect(checkSpace({ state: 'low', problem: 'Little.' }, 1)).toMatchObject({ outcome: 'warning', text: 'Little.' })
  expect(checkSpace({ state: 'full', problem: 'Full.' }, 0)).toMatchObject({ outcome: 'trouble', text: 'Full.' })
})

test('port and sharing are told with what to do', () => {
  expect(checkPort({ state: 'failed', host: '127.0.0.1', port: 7610, problem: 'Taken.' })).toMatchObject({ outcome: 'trouble', text: 'Taken.' })
  expect(checkSharing(null, null).text).toBe('The bus is not shared with other machines.')
  expect(checkSharing('https://10.0.0.2:7611', null)).toMatchObject({ outcome: 'fine' })
  expect(checkSharing(null, 'Waits.')).toMatchObject({ outcome: 'warning', next: expect.any(String) })
})
