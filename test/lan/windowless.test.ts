import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { Command } from '../cli/cli.ts'
import { cleanEnvironment, ROOT } from '../support/bus-process.ts'
import { temporaryFolder } from '../support/folders.ts'
import { HomeNetwork, type NetworkHost } from '../support/home-network.ts'
import { SharedBus } from './shared-bus.ts'

/** By what a bus without a window is known is said where somebody looks who has no interface. */

const trouble = HomeNetwork.trouble()
const why = trouble === undefined ? '' : `: ${trouble}`

test.skipIf(trouble !== undefined)(`a bus without a window says its pin in running.json, in its log, to the doctor, and on its way up${why}`, { timeout: 60_000 }, async () => {
  using network = await HomeNetwork.create(1)
  const [home] = network.hosts as [NetworkHost]
  await using bus = await SharedBus.start(home)
  const { urls, identity } = await bus.until(({ state }) => state === 'listening')
  const { pin, fingerprint } = identity!
  expect(JSON.parse(readFileSync(bus.file('running.json'), 'utf8'))).toMatchObject({ shared: urls, pin, fingerprint })
  expect(bus.bus.events()[0]).toMatchObject({ event: 'listening', shared: urls, pin, fingerprint })
  const logged = bus.bus.stderr.split('\n').find((line) => line.includes('"the bus is shared"'))
  expect(JSON.parse(logged!)).toMatchObject({ urls, pin, fingerprint })

  const doctor = await new Command(['doctor'], { BUS_DATA_DIR: bus.file('') }, undefined, home).finished
  expect(doctor.stdout, doctor.stderr).toContain(`at ${urls[0]}; its pin is ${pin}, its root's fingerprint ${fingerprint}.`)
})

test.skipIf(trouble !== undefined)(`npm start without a display says by what other machines know the bus${why}`, { timeout: 60_000 }, async () => {
  using folder = temporaryFolder()
  using network = await HomeNetwork.create(1)
  const [home] = network.hosts as [NetworkHost]
  const env = { ...cleanEnvironment(), BUS_DATA_DIR: folder.path, BUS_PORT: '0', BUS_SHARE: 'true', BUS_DISCOVERY: 'false' }
  const started = home.spawn(process.execPath, [join(ROOT, 'src/main/start.ts')], { env, stdio: ['ignore', 'pipe', 'inherit'] })
  let said = ''
  started.stdout!.setEncoding('utf8').on('data', (text: string) => (said += text))
  const ended = new Promise((resolve) => started.on('close', resolve))
  try {
    await vi.waitFor(() => expect(said).toContain('Ctrl+C'), { timeout: 30_000, interval: 100 })
    expect(said).toMatch(/ {2}Shared {5}https:\/\/10\.77\.0\.1:7611 /)
    expect(said).toMatch(/ {2}Pin {8}sha256\/\/[A-Za-z0-9+/]{43}=\n/)
    expect(said).toMatch(/ {2}Root {7}([0-9A-F]{2}:){31}[0-9A-F]{2} \(SHA-256\)\n/)
  } finally {
    started.kill('SIGTERM')
    await ended
  }
})
