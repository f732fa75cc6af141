import { pino } from 'pino'
import { expect, test, vi } from 'vitest'
import { Discovery, HEARTBEAT, type Announcement } from '../../src/main/lan/discovery.ts'
import type { Log } from '../../src/main/log.ts'
import { HandClock } from '../support/hand-clock.ts'

const ANNOUNCEMENT: Announcement = {
  interface: 'lo',
  addresses: ['127.0.0.1'],
  port: 7611,
  names: [
    { name: 'kitchen', host: 'kitchen-bus.local' },
    { name: 'kitchen 1234', host: 'kitchen-bus-1234.local' }
  ],
  text: {}
}

function discoveryBy(program: string, clock = new HandClock()): { readonly discovery: Discovery; readonly onChange: () => void } {
  const onChange = vi.fn()
  const entry = new URL(`data:text/javascript,import { parentPort } from 'node:worker_threads';${encodeURIComponent(program)}`)
  return { discovery: new Discovery({ entry, clock, log: pino({ level: 'silent' }) as Log, onChange }), onChange }
}

test.each([
  ['ends the process', 'process.exit(1)', 'ended by itself'],
  ['throws', "throw new Error('out of luck')", 'out of luck'],
  ['throws later', "setTimeout(() => { throw new Error('out of luck') }, 20)", 'out of luck'],
  ['rejects', "Promise.reject(new Error('out of luck'))", 'out of luck'],
  ['says why it cannot', "parentPort.postMessage({ problem: 'no multicast here' })", 'no multicast here']
])('a responder that %s does no harm', async (_what, program, reason) => {
  const { discovery, onChange } = discoveryBy(program)
  await discovery.announce(ANNOUNCEMENT)
  await vi.waitFor(() => expect(discovery.view.state).toBe('failed'), { timeout: 20_000 })
  expect(discovery.view.problem).toContain(reason)
  expect(discovery.view.problem).toContain('by its address all the same')
  expect(onChange).toHaveBeenCalled()
  await discovery.close()
  expect(discovery.view).toEqual({ state: 'off', problem: null })
})

test('what failed is tried again in time, and only then', async () => {
  const clock = new HandClock()
  const { discovery } = discoveryBy("parentPort.postMessage({ problem: 'not now' })", clock)
  await discovery.announce(ANNOUNCEMENT)
  await vi.waitFor(() => expect(discovery.view.state).toBe('failed'))
  clock.jump(29)
  await discovery.announce(ANNOUNCEMENT)
  expect(discovery.view.state).toBe('failed')
  clock.jump(2)
  await discovery.announce(ANNOUNCEMENT)
  expect(discovery.view.state).toBe('off')
  await vi.waitFor(() => expect(discovery.view.state).toBe('failed'))
})

test('a responder that does not end is ended', async () => {
  const { discovery } = discoveryBy("parentPort.postMessage({ announced: 'kitchen-bus.local' }); setInterval(() => {}, 1000)")
  await discovery.announce(ANNOUNCEMENT)
  await vi.waitFor(() => expect(discovery.view.state).toBe('announced'))
  expect(discovery.host).toBe('kitchen-bus.local')
  await discovery.announce(ANNOUNCEMENT)
  expect(discovery.view.state).toBe('announced')
  await discovery.close()
  expect([discovery.view.state, discovery.host]).toEqual(['off', null])
})

test('a responder that hangs is ended, said, and tried again; one that answers goes on', async () => {
  const clock = new HandClock()
  const announced = "parentPort.postMessage({ announced: 'kitchen-bus.local' })"
  const { discovery } = discoveryBy(`${announced}; parentPort.on('message', () => { for (;;); })`, clock)
  await discovery.announce(ANNOUNCEMENT)
  await vi.waitFor(() => expect(discovery.view.state).toBe('announced'))
  await clock.advance(HEARTBEAT)
  expect(discovery.view).toEqual({ state: 'failed', problem: expect.stringContaining('it does not answer') })
  await clock.advance(30)
  await discovery.announce(ANNOUNCEMENT)
  await vi.waitFor(() => expect(discovery.view.state).toBe('announced'))
  await discovery.close()

  const { discovery: lively, onChange } = discoveryBy(`${announced}; parentPort.on('message', () => parentPort.postMessage({ isAlive: true }))`, clock)
  await lively.announce(ANNOUNCEMENT)
  for (let beats = 0; beats < 3; beats++) {
    await vi.waitFor(() => expect(lively.view.state).toBe('announced'))
    await new Promise((resolve) => setTimeout(resolve, 200))
    await clock.advance(HEARTBEAT)
  }
  expect(lively.view.state).toBe('announced')
  expect(onChange).toHaveBeenCalledTimes(1)
  await lively.close()
})
