import { expect, test } from 'vitest'
import { ConfigError } from '../../src/main/config.ts'
import { readArguments } from '../../src/main/headless-arguments.ts'

const NOTHING = { rotateMainKey: false, rotateDashboardPassword: false, listsBackups: false, recovery: undefined }

test.each([
  [[], NOTHING],
  [['--list-backups'], { ...NOTHING, listsBackups: true }],
  [['--rotate-main-key', '--rotate-dashboard-password'], { ...NOTHING, rotateMainKey: true, rotateDashboardPassword: true }],
  [['--restore-backup', 'newest', '--rotate-main-key'], { ...NOTHING, rotateMainKey: true, recovery: 'newest' }],
  [['--restore-backup=2026-11-21T192605.123Z-daily'], { ...NOTHING, recovery: { backup: '2026-11-21T192605.123Z-daily' } }],
  [['--start-empty'], { ...NOTHING, recovery: 'empty' }],
  [['--keep-readable'], { ...NOTHING, recovery: 'readable' }]
])('%j is understood', (args, expected) => {
  expect(readArguments(args)).toEqual(expected)
})

const NO_OPTION =
  'is not an option; there are --rotate-main-key, --rotate-dashboard-password, --list-backups, --restore-backup NAME (or newest), --start-empty and --keep-readable.'

test.each([
  [['--backups'], `--backups ${NO_OPTION}`],
  [['newest'], `newest ${NO_OPTION}`],
  [['--list-backups=x'], '--list-backups takes no value.'],
  [['--rotate-main-key=1'], '--rotate-main-key takes no value.'],
  [['--restore-backup'], '--restore-backup takes the name of a backup, or newest.'],
  [['--restore-backup='], '--restore-backup takes the name of a backup, or newest.'],
  [['--restore-backup', '--start-empty'], '--restore-backup takes the name of a backup, or newest.'],
  [['--start-empty', '--keep-readable'], 'Only one of --restore-backup, --start-empty and --keep-readable can be given.'],
  [['--list-backups', '--start-empty'], '--list-backups only lists and starts no bus; give --start-empty without it.'],
  [['--rotate-main-key', '--list-backups'], '--list-backups only lists and starts no bus; give --rotate-main-key without it.']
])('%j is refused with the reason', (args, text) => {
  expect(() => readArguments(args)).toThrow(new ConfigError(text))
})
