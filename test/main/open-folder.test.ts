import { chmodSync, mkdirSync } from 'node:fs'
import { expect, test } from 'vitest'
import { readConfig } from '../../src/main/config.ts'
import { headlessHost } from '../../src/main/headless-host.ts'
import { BusProcess } from '../support/bus-process.ts'
import { temporaryFolder } from '../support/folders.ts'

test.each([
  [0o777, true],
  [0o770, true],
  [0o702, true],
  [0o755, false],
  [0o700, false]
])('of a data folder of mode %o users are told that others can change it: %s', (mode, isTold) => {
  using folder = temporaryFolder()
  mkdirSync(folder.path, { recursive: true })
  chmodSync(folder.path, mode)
  const { notices } = headlessHost(readConfig({ BUS_DATA_DIR: folder.path }))
  expect(notices).toEqual(isTold ? [expect.stringContaining(`run chmod 700 on it`)] : [])
})

test('a data folder that is not there yet is nobody else’s', () => {
  using folder = temporaryFolder()
  expect(headlessHost(readConfig({ BUS_DATA_DIR: `${folder.path}/none` })).notices).toEqual([])
})

test('the log tells of it, too', async () => {
  using folder = temporaryFolder()
  mkdirSync(folder.path, { recursive: true })
  chmodSync(folder.path, 0o777)
  await using bus = await BusProcess.start(folder.path)
  await bus.kill('SIGTERM')
  expect(bus.stderr).toContain('can change what is in the data folder')
})
