import { expect, test } from 'vitest'
import { BusProcess } from '../support/bus-process.ts'
import { temporaryFolder } from '../support/folders.ts'
import { ask } from '../support/http-client.ts'
import { DesktopApp, SOON, until } from './driver.ts'

/** The interface works, and explains, while there is no bus behind it. */

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
  // New rows wait, so that none jumps under the pointer.
  await page.getByRole('button', { name: '1 new' }).click()
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
  await page.getByText('The bus is stopped.', { exact: true }).waitFor()
  expect(await app.callRaw('intents.list', {})).toMatchObject({ ok: false, error: { code: 'bus_stopped' } })
  await expect.poll(() => app.tray.labels(), SOON).toEqual(expect.arrayContaining(['Stopped', 'Start again']))
  await page.getByRole('button', { name: 'Try again' }).first().click()
  expect((await ask(await app.url(), { path: '/health' })).status).toBe(200)
  await page.getByText('The bus is stopped.', { exact: true }).waitFor({ state: 'detached' })
})

test('another bus on the same folder is said, and not fought', async () => {
  using folder = temporaryFolder()
  await using other = await BusProcess.start(folder.path)
  await using app = await DesktopApp.start({ dataDir: folder.path })
  const page = await app.window()
  await page.getByText('The bus is stopped.', { exact: true }).waitFor()
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
