import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { expect, test } from 'vitest'
import { BusProcess } from '../support/bus-process.ts'
import { temporaryFolder } from '../support/folders.ts'
import { HomeNetwork } from '../support/home-network.ts'

const trouble = HomeNetwork.trouble()

/** Asks the bus from the bus's own machine. */
const ASKING = `
  const [, url, key] = process.argv
  require('node:readline').createInterface({ input: process.stdin }).on('line', async (line) => {
    const [method, path, body] = JSON.parse(line)
    const answer = await fetch(url + path, { method, headers: { 'X-API-KEY': key }, ...(body && { body: JSON.stringify(body) }) })
    console.log(JSON.stringify([answer.status, await answer.json().catch(() => null)]))
  })`

/** A worker that waits, and says nothing. */
const WAITING = `
  const [, url, key] = process.argv
  fetch(url + '/claim?wait=30', { method: 'POST', headers: { 'X-API-KEY': key } }).catch(() => {})
  setTimeout(() => console.log('waiting'), 500)
  setInterval(() => {}, 1000)`

test.skipIf(trouble !== undefined)(`a worker that vanished without a word is found out while it waits${trouble ? `: ${trouble}` : ''}`, { timeout: 90_000 }, async () => {
  using folder = temporaryFolder()
  using network = await HomeNetwork.create(2)
  const [home, pi] = network.hosts as [(typeof network.hosts)[number], (typeof network.hosts)[number]]
  const env = { BUS_HOST: '0.0.0.0', BUS_CLAIM_TIMEOUT_SECONDS: '10' }
  await using bus = await BusProcess.start(folder.path, env, [], home)
  const { port } = new URL(bus.url)
  const asking = home.spawn(process.execPath, ['-e', ASKING, bus.url, bus.mainKey], { stdio: ['pipe', 'pipe', 'inherit'] })
  const worker = pi.spawn(process.execPath, ['-e', WAITING, `http://${home.address}:${port}`, bus.mainKey], { stdio: ['ignore', 'pipe', 'inherit'] })
  try {
    const answers = createInterface({ input: asking.stdout! })
    // eslint-disable-next-line @typescript-eslint/no-explicit-any
    const ask = async (method: string, path: string, body?: object): Promise<[number, any]> => {
      const answer = once(answers, 'line') as Promise<[string]>
      asking.stdin!.write(`${JSON.stringify([method, path, body])}\n`)
      return JSON.parse((await answer)[0])
    }
    await once(worker.stdout!, 'data')
    pi.unplug()

    // Nobody can know yet: the lease is lost, and the intent is there for others once it is over.
    const [, lost] = await ask('POST', '/intent', { goal: 'test', payload: 1 })
    const [, held] = await ask('GET', `/status/${lost.id}`)
    expect(held).toMatchObject({ status: 'claimed', claim_attempts: 1 })
    const [status, claimed] = await ask('POST', '/claim?wait=30')
    expect(Date.now() / 1000 - held.claim_expires_at).toBeLessThan(1)
    expect([status, claimed?.id, claimed?.claim_attempts]).toEqual([200, lost.id, 2])
  } finally {
    asking.kill('SIGKILL')
    worker.kill('SIGKILL')
  }
})

test.skipIf(trouble !== undefined)('a connection whose peer stays silent through the probes is handed nothing any more', { timeout: 90_000 }, async () => {
  using folder = temporaryFolder()
  using network = await HomeNetwork.create(2)
  const [home, pi] = network.hosts as [(typeof network.hosts)[number], (typeof network.hosts)[number]]
  await using bus = await BusProcess.start(folder.path, { BUS_HOST: '0.0.0.0' }, [], home)
  const { port } = new URL(bus.url)
  const worker = pi.spawn(process.execPath, ['-e', WAITING, `http://${home.address}:${port}`, bus.mainKey], { stdio: ['ignore', 'pipe', 'inherit'] })
  try {
    await once(worker.stdout!, 'data')
    const connections = (): string => home.run('ss', '-Htn', 'state', 'established', `( sport = :${port} )`).trim()
    expect(connections()).toContain(pi.address)
    pi.unplug()
    const started = performance.now()
    while (connections() !== '') await new Promise((resolve) => setTimeout(resolve, 500))
    // 15 seconds of silence, and ten probes a second apart: before the wait itself would have ended.
    expect(performance.now() - started).toBeLessThan(28_000)
  } finally {
    worker.kill('SIGKILL')
  }
})
