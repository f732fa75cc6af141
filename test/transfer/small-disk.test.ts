import { readdirSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { once } from 'node:events'
import { join } from 'node:path'
import { spawn } from 'node:child_process'
import { expect, test } from 'vitest'
import { childEnvironment, CLI, runCli } from '../cli/cli.ts'
import { BusProcess } from '../support/bus-process.ts'
import { temporaryFolder } from '../support/folders.ts'
import { ask } from '../support/http-client.ts'
import { SmallDisk } from '../support/small-disk.ts'

const MB = 2 ** 20
const PASSWORD = 'password of the small disk'
const KEY = 'key-of-the-small-disk'

async function publish(bus: BusProcess): Promise<number> {
  return (await ask(bus.url, { method: 'POST', path: '/intent', headers: { 'X-API-KEY': KEY }, body: { goal: 'g', payload: 'x'.repeat(6_000) } })).status
}

test.skipIf(SmallDisk.trouble() !== undefined)('a file that is too large for the disk of the bus is refused, and work goes on', { timeout: 120_000 }, async () => {
  using disk = await SmallDisk.create(200)
  using folder = temporaryFolder()
  const file = join(folder.path, 'large.ndjson')
  const handle = await open(file, 'w')
  await handle.truncate(90 * MB)
  await handle.close()
  await using bus = await BusProcess.start(disk.path, { DASHBOARD_PASSWORD: PASSWORD, BUS_SECRET: KEY }, [], disk)
  const env = { INTENT_BUS_URL: bus.url, INTENT_BUS_PASSWORD: PASSWORD }
  const imports = join(disk.outside, 'imports')

  const known = await runCli(['import', file, '--yes'], env)
  expect(known).toMatchObject({ code: 1, stdout: '', stderr: expect.stringMatching(/MB left, and the import needs 218 MB.*Make room on it/) as string })
  expect(await publish(bus)).toBe(201)

  // How much comes from standard input shows only when it is too much.
  const child = spawn(process.execPath, [CLI, 'import', '-', '--yes'], { env: childEnvironment(env), stdio: ['pipe', 'ignore', 'pipe'] })
  let stderr = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  const ended = once(child, 'close')
  child.stdin.on('error', () => {})
  child.stdin.end(Buffer.alloc(90 * MB, 'x'))
  expect(await ended).toEqual([1, null])
  expect(stderr).toMatch(/Make room on it/)
  expect(readdirSync(imports)).toEqual([])
  for (let i = 0; i < 20; i++) expect(await publish(bus)).toBe(201)
})
