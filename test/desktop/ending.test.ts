import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { temporaryFolder } from '../support/folders.ts'
import { BusUser } from './bus-user.ts'
import { DesktopApp } from './driver.ts'

/** What ends the app from outside: there is nobody to ask. */

test.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)('%s closes the bus in order, without a question, while a worker holds a lease', async (signal) => {
  using folder = temporaryFolder()
  await using app = await DesktopApp.start({ dataDir: folder.path })
  const user = await BusUser.of(app)
  await user.publish('resize')
  await user.claim('resize')
  app.kill(signal)
  expect(await app.exited).toEqual({ code: 0, signal: null })
  // Only a database that was closed leaves no log of writes.
  expect(existsSync(join(folder.path, 'infrastructure.db'))).toBe(true)
  expect(existsSync(join(folder.path, 'infrastructure.db-wal'))).toBe(false)
})

test('the end of the user’s session closes the bus without a question', async () => {
  using folder = temporaryFolder()
  await using app = await DesktopApp.start({ dataDir: folder.path })
  const user = await BusUser.of(app)
  await user.publish('resize')
  await user.claim('resize')
  await app.evaluate(({ powerMonitor }) => void setTimeout(() => powerMonitor.emit('shutdown', { preventDefault() {} }), 20))
  expect(await app.exited).toEqual({ code: 0, signal: null })
  expect(existsSync(join(folder.path, 'infrastructure.db-wal'))).toBe(false)
})
