import { EventEmitter } from 'node:events'
import { pino } from 'pino'
import { expect, test } from 'vitest'
import type { DamageView, Recovery } from '../../../src/shared/control/backup-views.ts'
import type { EventFrame } from '../../../src/shared/control/event-frame.ts'
import type { BusStatus } from '../../../src/shared/control/status-views.ts'
import { BusClient, type BusThread } from '../../../src/main/desktop/bus-client.ts'
import type { FromBus, HostServices, ToBus } from '../../../src/main/desktop/bus-messages.ts'
import { HostRelay } from '../../../src/main/desktop/host-relay.ts'
import { absentStatus } from '../../../src/main/desktop/stopped-bus.ts'
import { HandClock, settle } from '../../support/hand-clock.ts'

const RUNNING: BusStatus = { ...absentStatus({ state: 'stopped', problem: null }, undefined, '/data', 0), state: 'running' }
const COUNTS = { open: 7, claimed: 0, fulfilled: 0, dead: 0, expired: 0 }

/** A thread of the bus that a test speaks for; calls of `status.get` are answered by itself. */
class TestThread extends EventEmitter implements BusThread {
  readonly received: ToBus[] = []
  hasEnded = false

  postMessage(message: ToBus): void {
    this.received.push(message)
    if (message.kind === 'call' && message.method === 'status.get') {
      this.say({ kind: 'answer', id: message.id, envelope: { ok: true, value: RUNNING } })
    }
    if (message.kind === 'listen') this.say({ kind: 'frame', frame: { seq: 0, changes: [], missed: 0, counts: COUNTS } })
  }

  say(message: FromBus): void {
    queueMicrotask(() => this.emit('message', message))
  }

  die(error?: Error): void {
    if (error !== undefined) this.emit('error', error)
    this.hasEnded = true
    this.emit('exit')
  }

  async terminate(): Promise<void> {
    this.hasEnded = true
  }

  of<K extends ToBus['kind']>(kind: K): Extract<ToBus, { kind: K }>[] {
    return this.received.filter((message): message is Extract<ToBus, { kind: K }> => message.kind === kind)
  }
}

function setUp(services: Partial<HostServices> = {}) {
  const clock = new HandClock()
  const threads: TestThread[] = []
  const recoveries: (Recovery | null)[] = []
  const client = new BusClient({
    spawn: async (recovery) => {
      const thread = new TestThread()
      threads.push(thread)
      recoveries.push(recovery)
      return thread
    },
    services: services as HostServices,
    dataDir: '/data',
    logFile: '/data/bus.log',
    log: pino({ level: 'silent' }),
    clock
  })
  const frames: EventFrame[] = []
  const states: boolean[] = []
  return { clock, client, threads, recoveries, frames, states, listen: () => client.listen((f) => frames.push(f), (s) => states.push(s)) }
}

async function setUpRunning(services?: Partial<HostServices>) {
  const t = setUp(services)
  t.client.start()
  await settle()
  t.threads[0]!.say({ kind: 'ready' })
  await settle()
  return { ...t, thread: t.threads[0]! }
}

async function stateOf(client: BusClient): Promise<Pick<BusStatus, 'state' | 'problem'>> {
  const answer = await client.call('status.get', {})
  if (!answer.ok) throw new Error(answer.error.message)
  const { state, problem } = answer.value as BusStatus
  return { state, problem }
}

test('while the bus starts its status says so, and other calls wait', async () => {
  const { client, threads } = setUp()
  client.start()
  await settle()
  expect(await stateOf(client)).toEqual({ state: 'starting', problem: null })
  const answer = client.call('intents.list', { limit: 1 })
  threads[0]!.say({ kind: 'ready' })
  await settle()
  const call = threads[0]!.of('call').find(({ method }) => method === 'intents.list')!
  expect(call.input).toEqual({ limit: 1 })
  threads[0]!.say({ kind: 'answer', id: call.id, envelope: { ok: true, value: 'page' } })
  expect(await answer).toEqual({ ok: true, value: 'page' })
})

test('a bus that cannot start says why; every other call is refused, and it can be started again', async () => {
  const { client, threads, frames, listen } = setUp()
  listen()
  client.start()
  await settle()
  const waiting = client.call('keys.list', {})
  threads[0]!.say({ kind: 'failed', problem: 'The folder is taken.' })
  expect(await waiting).toEqual({ ok: false, error: { code: 'bus_stopped', message: 'The bus is stopped. The folder is taken.' } })
  expect(await stateOf(client)).toEqual({ state: 'stopped', problem: 'The folder is taken.' })
  expect(frames.at(-1)!.status).toMatchObject({ state: 'stopped', problem: 'The folder is taken.' })

  const started = client.call('bus.start', {})
  await settle()
  threads[1]!.say({ kind: 'ready' })
  await settle()
  const call = threads[1]!.of('call').find(({ method }) => method === 'bus.start')!
  threads[1]!.say({ kind: 'answer', id: call.id, envelope: { ok: true, value: RUNNING } })
  expect(await started).toEqual({ ok: true, value: RUNNING })
  expect(frames.at(-1)!.status).toMatchObject({ state: 'running' })
})

test('the thread gathers events only while somebody listens', async () => {
  const { client, thread } = await setUpRunning()
  expect(thread.of('listen')).toHaveLength(0)
  const stops = [client.listen(() => {}, () => {}), client.listen(() => {}, () => {})]
  expect(thread.of('listen')).toHaveLength(1)
  stops[0]!()
  stops[0]!()
  expect(thread.of('unlisten')).toHaveLength(0)
  stops[1]!()
  expect(thread.of('unlisten')).toHaveLength(1)
})

test('every listener hears a first frame with the counts, later ones too', async () => {
  const { client, frames, states, listen } = await setUpRunning()
  listen()
  await settle()
  const late: EventFrame[] = []
  client.listen((frame) => late.push(frame), () => {})
  expect([frames[0]!.counts, late[0]!.counts]).toEqual([COUNTS, COUNTS])
  expect(states).toEqual([true])
})

test('a bus that dies is started again, and the first frame says that some are missing', async () => {
  const { client, threads, thread, frames, states, listen } = await setUpRunning()
  listen()
  await settle()
  const waiting = client.call('intents.list', {})
  thread.die(new Error('boom'))
  expect(await waiting).toMatchObject({ ok: false, error: { code: 'bus_stopped' } })
  await settle()
  threads[1]!.say({ kind: 'ready' })
  await settle()
  expect(states).toEqual([true, false, true])
  expect(frames.filter(({ missed }) => missed > 0)).toHaveLength(1)
  expect(frames.map(({ seq }) => seq)).toEqual(frames.map((_, i) => frames[0]!.seq + i))
  expect(await stateOf(client)).toMatchObject({ state: 'running' })
})

test('a bus that dies again and again stays stopped and says so, until it is started by hand', async () => {
  const { client, threads, clock } = await setUpRunning()
  for (let i = 0; i < 4; i++) {
    threads.at(-1)!.die(new Error('boom'))
    await settle()
    threads.at(-1)!.say({ kind: 'ready' })
    await settle()
  }
  expect(threads).toHaveLength(4)
  const { state, problem } = await stateOf(client)
  expect(state).toBe('stopped')
  expect(problem).toContain('boom')
  expect(problem).toContain('/data/bus.log')
  clock.jump(301)
  client.start()
  await settle()
  expect(await stateOf(client)).toMatchObject({ state: 'starting' })
})

test('a call that waits for a start is answered also when the thread dies on the way', async () => {
  const { client, threads } = setUp()
  client.start()
  await settle()
  const waiting = client.call('keys.list', {})
  for (let i = 0; i < 4; i++) {
    threads.at(-1)!.die()
    await settle()
  }
  expect(await waiting).toMatchObject({ ok: false, error: { code: 'bus_stopped' } })
})

test('what only the main thread can do is asked of it, and a refusal comes back as a sentence', async () => {
  const asked: unknown[] = []
  const { thread } = await setUpRunning({
    seal: async (text) => text.toUpperCase(),
    applySettings: async (settings) => {
      asked.push(settings)
      throw new Error('These keys are taken.')
    }
  })
  const relay = new HostRelay((message) => thread.say(message))
  const postMessage = thread.postMessage.bind(thread)
  thread.postMessage = (message) => {
    postMessage(message)
    if (message.kind === 'host-answer' || message.kind === 'host-refusal') relay.settle(message)
  }
  expect(await relay.seal('abc')).toBe('ABC')
  await expect(relay.applySettings({ port: 1 } as never)).rejects.toThrow('These keys are taken.')
  expect(asked).toEqual([{ port: 1 }])
})

test('closing waits for the bus, then ends the thread', async () => {
  const { client, thread } = await setUpRunning()
  let isClosed = false
  const closing = client.close(100).then(() => (isClosed = true))
  await settle()
  expect([thread.of('close'), isClosed]).toEqual([[{ kind: 'close', graceMs: 100 }], false])
  thread.say({ kind: 'closed' })
  await closing
  expect(thread.hasEnded).toBe(true)
  thread.die()
  expect(await stateOf(client)).toMatchObject({ state: 'stopped' })
})

test('closing waits also for a bus that was started again', async () => {
  const { client, threads, thread } = await setUpRunning()
  thread.die()
  await settle()
  threads[1]!.say({ kind: 'ready' })
  await settle()
  let isClosed = false
  const closing = client.close(100).then(() => (isClosed = true))
  await settle()
  expect(isClosed).toBe(false)
  threads[1]!.say({ kind: 'closed' })
  await closing
})

test('a bus that dies while it closes is not started again', async () => {
  const { client, threads, thread } = await setUpRunning()
  const closing = client.close(100)
  thread.die(new Error('boom'))
  await closing
  await settle()
  expect(threads).toHaveLength(1)
})

test('a bus that does not close in time is ended', async () => {
  const { client, thread, clock } = await setUpRunning()
  const closing = client.close(1_000)
  await clock.advance(2.4)
  expect(thread.hasEnded).toBe(false)
  await clock.advance(0.2)
  await closing
  expect(thread.hasEnded).toBe(true)
})

test('a bus that was never started closes at once', async () => {
  await setUp().client.close(1_000)
})

const DAMAGE: DamageView = { problem: 'The database is damaged.', newest: null, recoveries: ['empty'] }

test('a damaged database is told with what can be done, and only that is done', async () => {
  const { client, threads, recoveries } = setUp()
  client.start()
  await settle()
  threads[0]!.say({ kind: 'failed', problem: 'It is damaged.', damage: DAMAGE })
  await settle()
  expect((await client.call('status.get', {})) as unknown).toMatchObject({ value: { state: 'stopped', problem: 'It is damaged.', damage: DAMAGE } })
  const asked = client.call('bus.start', { recovery: 'newest' })
  await settle()
  threads[1]!.say({ kind: 'failed', problem: 'It is damaged.', damage: DAMAGE })
  expect(await asked).toMatchObject({ ok: false, error: { code: 'bus_stopped' } })
  const next = client.call('bus.start', { recovery: 'empty' })
  await settle()
  threads[2]!.say({ kind: 'ready' })
  await settle()
  // What was to be done is done: the bus is not asked for it once more.
  const [call] = threads[2]!.of('call').filter(({ method }) => method === 'bus.start')
  expect(call!.input).toEqual({})
  threads[2]!.say({ kind: 'answer', id: call!.id, envelope: { ok: true, value: null } })
  expect(await next).toMatchObject({ ok: true })
  expect(recoveries).toEqual([null, null, 'empty'])
  expect((await client.call('status.get', {})) as unknown).toMatchObject({ value: { damage: null } })
})

test('a bus that is to start again gets another thread, and calls wait for it', async () => {
  const { client, threads, thread } = await setUpRunning()
  for (let i = 1; i <= 5; i++) {
    threads.at(-1)!.say({ kind: 'restarting' })
    await settle()
    const call = client.call('keys.list', {})
    expect(await stateOf(client)).toEqual({ state: 'starting', problem: null })
    threads.at(-1)!.die()
    await settle()
    expect(threads).toHaveLength(i + 1)
    threads[i]!.say({ kind: 'ready' })
    await settle()
    const [asked] = threads[i]!.of('call').filter(({ method }) => method === 'keys.list')
    threads[i]!.say({ kind: 'answer', id: asked!.id, envelope: { ok: true, value: [] } })
    expect(await call).toEqual({ ok: true, value: [] })
  }
  expect(thread.of('call').some(({ method }) => method === 'keys.list')).toBe(false)
})

test('a bus that is closed while it starts again stays closed', async () => {
  const { client, threads, thread } = await setUpRunning()
  thread.say({ kind: 'restarting' })
  await settle()
  const closing = client.close(100)
  thread.die()
  await closing
  await settle()
  expect(threads).toHaveLength(1)
})
