import { expect, test } from 'vitest'
import { BusProcess } from '../support/bus-process.ts'
import { temporaryFolder } from '../support/folders.ts'
import { ask } from '../support/http-client.ts'
import { runCli } from './cli.ts'

/** Backups from the command line, of a bus as users start it. */

const SOON = { timeout: 10_000, interval: 100 }

function environment(bus: BusProcess): Record<string, string> {
  return { INTENT_BUS_URL: bus.url, INTENT_API_KEY: bus.mainKey, DASHBOARD_PASSWORD: bus.password, BUS_DATA_DIR: bus.dataDir }
}

test('a backup is made, listed and gone back to in one step, and the present is kept', async () => {
  using folder = temporaryFolder()
  // A port of its own, as a restore may not move the bus.
  const port = String(20_000 + Math.floor(Math.random() * 20_000))
  await using bus = await BusProcess.start(folder.path, { BUS_PORT: port })
  const headers = { 'X-API-KEY': bus.mainKey }
  const publish = async (goal: string): Promise<string> => {
    const { json } = await ask(bus.url, { method: 'POST', path: '/intent', headers, body: { goal, payload: {} } })
    return (json as { id: string }).id
  }
  const status = async (id: string): Promise<number> => (await ask(bus.url, { path: `/status/${id}`, headers }).catch(() => ({ status: 0 }))).status
  const env = environment(bus)
  expect((await runCli(['backups', 'list'], env)).code).toBe(5)

  const kept = await publish('kept')
  const made = await runCli(['backups', 'make', '--json'], env)
  const { id } = JSON.parse(made.stdout) as { id: string }
  const later = await publish('later')
  expect((await runCli(['backups', 'list'], env)).stdout).toContain(id)
  expect(await runCli(['backups', 'restore', 'nowhere', '--yes'], env)).toMatchObject({ code: 5, stderr: expect.stringContaining('There is no backup nowhere.') })

  const restored = await runCli(['backups', 'restore', 'newest', '--yes'], env)
  expect(restored).toMatchObject({ code: 0, stdout: expect.stringContaining('The bus goes back to') })
  await expect.poll(() => status(later), SOON).toBe(404)
  expect(await status(kept)).toBe(200)
  expect((await runCli(['backups', 'list'], env)).stdout).toMatch(/restore/)
})
