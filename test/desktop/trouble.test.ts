import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { BusProcess } from '../support/bus-process.ts'
import { temporaryFolder } from '../support/folders.ts'
import { ask } from '../support/http-client.ts'
import { DesktopApp, until } from './driver.ts'

/** The interface works, and explains, while the bus is stopped or cannot be reached. */

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
  await page.getByText('No program can reach the bus.').waitFor()
  await expect.poll(() => app.tray.labels(), { timeout: 5_000 }).toContain(`Port ${taken.port} cannot be used`)
  // What does not need the port works: intents can be published here.
  await app.call('intents.publish', { goal: 'here', payload: '{}' })
  const port = await freePort()
  await page.getByLabel('Port').fill(String(port))
  await page.getByRole('button', { name: 'Apply' }).click()
  expect(await app.url()).toBe(`http://127.0.0.1:${port}`)
  expect((await ask(`http://127.0.0.1:${port}`, { path: '/health' })).status).toBe(200)
  await page.getByText('No program can reach the bus.').waitFor({ state: 'detached' })
})

test('a port that is taken is refused in Settings, and the bus stays where it is', async () => {
  await using taken = await occupy()
  await using app = await DesktopApp.start({ env: { BUS_PORT: '' } })
  const page = await app.window()
  await app.call('settings.change', { port: await freePort() })
  const url = await app.url()
  await page.getByRole('link', { name: 'Settings' }).click()
  await page.getByLabel('Port').fill(String(taken.port))
  await page.getByRole('button', { name: 'Apply' }).click()
  await page.getByText(new RegExp(`${taken.port}`)).first().waitFor()
  expect(await app.url()).toBe(url)
  expect((await ask(url, { path: '/health' })).status).toBe(200)
})

test('a bus that dies is started again, with its intents, and the page goes on by itself', async () => {
  await using app = await DesktopApp.start()
  const page = await app.window()
  await app.url()
  const { since } = await app.call('status.get', {})
  const { id } = await app.call('intents.publish', { goal: 'survives', payload: '{}' })
  await app.killBusThread()
  await until('the bus to be back', async () => {
    const status = await app.call('status.get', {})
    return status.state === 'running' && status.since > since ? true : undefined
  })
  expect(await app.call('intents.detail', { id })).toMatchObject({ status: 'open' })
  await page.getByRole('link', { name: 'Intents' }).click()
  await page.getByText('survives').first().waitFor()
  await app.call('intents.publish', { goal: 'afterwards', payload: '{}' })
  await page.getByText('afterwards').first().waitFor()
})

test('a bus that dies again and again stays stopped; the interface says why and starts it', async () => {
  await using app = await DesktopApp.start()
  const page = await app.window()
  await app.url()
  const stopped = await until('the bus to stay stopped', async () => {
    const { state, problem } = await app.call('status.get', {})
    if (state === 'running') await app.killBusThread()
    return state === 'stopped' ? problem : undefined
  })
  expect(stopped).toContain('again and again')
  await page.getByText('The bus is stopped.').waitFor()
  expect(await app.callRaw('intents.list', {})).toMatchObject({ ok: false, error: { code: 'bus_stopped' } })
  await expect.poll(() => app.tray.labels(), { timeout: 5_000 }).toEqual(expect.arrayContaining(['Stopped', 'Start again']))
  await page.getByRole('button', { name: 'Try again' }).first().click()
  expect((await ask(await app.url(), { path: '/health' })).status).toBe(200)
  await page.getByText('The bus is stopped.').waitFor({ state: 'detached' })
})

test('another bus on the same folder is said, and not fought', async () => {
  using folder = temporaryFolder()
  await using other = await BusProcess.start(folder.path)
  await using app = await DesktopApp.start({ dataDir: folder.path })
  const page = await app.window()
  await page.getByText('The bus is stopped.').waitFor()
  expect((await app.call('status.get', {})).problem).toContain(other.url)
  expect((await ask(other.url, { path: '/health' })).status).toBe(200)
  await other.kill('SIGTERM')
  await page.getByRole('button', { name: 'Try again' }).first().click()
  await app.url()
})

test('a setting of the environment that cannot be used is said in the window', async () => {
  await using app = await DesktopApp.start({ env: { BUS_TRUST_PROXY: 'perhaps' } })
  await (await app.window()).getByText('BUS_TRUST_PROXY must be true or false').first().waitFor()
})
