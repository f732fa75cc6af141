import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { temporaryFolder } from '../support/folders.ts'
import { ask } from '../support/http-client.ts'
import { DesktopApp, SOON } from './driver.ts'

/** The interface works, explains and mends, while no program can reach the bus. */

/** A program that has a port. */
async function occupy(): Promise<{ readonly port: number } & AsyncDisposable> {
  const server: Server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return { port, [Symbol.asyncDispose]: () => new Promise((resolve) => server.close(() => resolve())) }
}

/** A port that was free a moment ago. */
async function freePort(): Promise<number> {
  await using taken = await occupy()
  return taken.port
}

test('a taken port is said, and a new one is set in Settings without a restart', async () => {
  using folder = temporaryFolder()
  await using taken = await occupy()
  writeFileSync(join(folder.path, 'settings.json'), JSON.stringify({ port: taken.port }))
  await using app = await DesktopApp.start({ dataDir: folder.path, env: { BUS_PORT: '' } })
  const page = await app.window()
  await page.getByRole('link', { name: 'Change the port' }).click()
  const { listener, state } = await app.call('status.get', {})
  expect(state).toBe('running')
  expect(listener).toMatchObject({ state: 'failed', port: taken.port, problem: expect.stringContaining(String(taken.port)) })
  await page.getByText('No program can reach the bus.', { exact: true }).waitFor()
  await expect.poll(() => app.tray.labels(), SOON).toContain(`Port ${taken.port} cannot be used`)
  // What does not need the port works: intents can be published here.
  await app.call('intents.publish', { goal: 'here', payload: '{}' })
  const port = await freePort()
  await page.getByLabel('Port', { exact: true }).fill(String(port))
  await page.getByRole('button', { name: 'Apply' }).click()
  expect(await app.url()).toBe(`http://127.0.0.1:${port}`)
  expect((await ask(`http://127.0.0.1:${port}`, { path: '/health' })).status).toBe(200)
  await page.getByText('No program can reach the bus.', { exact: true }).waitFor({ state: 'detached' })
})

test('a port that is taken is refused in Settings, and the bus stays where it is', async () => {
  await using taken = await occupy()
  await using app = await DesktopApp.start({ env: { BUS_PORT: '' } })
  const page = await app.window()
  await app.call('settings.change', { port: await freePort() })
  const url = await app.url()
  await page.getByRole('link', { name: 'Settings' }).click()
  await page.getByLabel('Port', { exact: true }).fill(String(taken.port))
  await page.getByRole('button', { name: 'Apply' }).click()
  await page.getByText(new RegExp(`${taken.port}`)).first().waitFor()
  expect(await app.url()).toBe(url)
  expect((await ask(url, { path: '/health' })).status).toBe(200)
})
