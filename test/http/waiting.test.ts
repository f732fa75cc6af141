import { connect, type Socket } from 'node:net'
import { expect, test } from 'vitest'
import { settle } from '../support/hand-clock.ts'
import { signatureHeaders } from '../support/http-client.ts'
import { callerOf, CLAIM, PUBLISH } from '../support/test-bus.ts'
import { MAIN_KEY, TestServer } from '../support/test-server.ts'
import { claim, fulfill, refusal, status } from './steps.ts'

/** Milliseconds. */
const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** Lets a request that was just sent arrive and be held. */
const held = (): Promise<void> => sleep(60)

function claimText(path: string): string {
  return `POST ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nX-API-KEY: ${MAIN_KEY}\r\nContent-Length: 0\r\n\r\n`
}

/** A claim over a socket of its own, to be cut off at will. */
async function rawClaim(server: TestServer, path: string): Promise<Socket> {
  const { port } = new URL(server.url)
  const socket = connect({ host: '127.0.0.1', port: Number(port), allowHalfOpen: false })
  socket.on('error', () => {})
  socket.write(claimText(path))
  await held()
  return socket
}

test('a claim is held until there is something, and says how long it would have been', async () => {
  await using server = await TestServer.start({ isClockReal: true })
  const answer = server.post('/claim?goal=test&wait=10')
  await held()
  const id = await server.publish()
  const { status: code, json, headers } = await answer
  expect([code, json.id, headers['x-intent-wait']]).toEqual([200, id, '10'])
})

test('nothing in time is 204, like a claim that does not wait', async () => {
  await using server = await TestServer.start({ isClockReal: true })
  const started = performance.now()
  const answer = await server.post('/claim?wait=0.2')
  expect(performance.now() - started).toBeGreaterThanOrEqual(195)
  expect(answer.status).toBe(204)
  expect(answer.headers).toMatchObject({ 'retry-after': '1', 'x-intent-wait': '0.2' })
  const none = await server.post('/claim')
  expect([none.status, none.headers['x-intent-wait']]).toEqual([204, undefined])
  expect((await server.post('/claim?wait=0')).headers['x-intent-wait']).toBe('0')
})

test.each(['-1', '30.1', 'abc', '', '1e1', '0x5', ' 5', 'Infinity'])('wait=%s is refused', async (wait) => {
  await using server = await TestServer.start()
  const id = await server.publish()
  for (const answer of [await server.post(`/claim?wait=${encodeURIComponent(wait)}`), await server.get(`/result/${id}?wait=${encodeURIComponent(wait)}`)]) {
    expect(refusal(answer)).toBe('400 invalid_wait')
  }
})

test('with wait a claim may name several goals; without, the first counts', async () => {
  await using server = await TestServer.start({ isClockReal: true })
  const id = await server.publish({ goal: 'b' })
  expect((await server.post('/claim?goal=a&goal=b')).status).toBe(204)
  expect((await server.post('/claim?goal=a&goal=b&wait=1')).json.id).toBe(id)
  const many = Array.from({ length: 33 }, (_, i) => `goal=g${i}`).join('&')
  expect(refusal(await server.post(`/claim?${many}&wait=1`))).toBe('400 invalid_goal')
  const list = await server.admin('/admin/control/workers.list', {})
  const goals = (list.json.value.workers as { asks: { goal: string }[] }[]).flatMap(({ asks }) => asks.map(({ goal }) => goal))
  expect(goals.sort()).toEqual(['a', 'b'])
})

test('a signed claim may wait; its nonce is spent', async () => {
  await using server = await TestServer.start({ isClockReal: true })
  const headers = signatureHeaders(MAIN_KEY, 'POST', '/claim?goal=test&wait=5', '')
  const answer = server.ask({ method: 'POST', path: '/claim?goal=test&wait=5', headers })
  await held()
  expect(refusal(await server.ask({ method: 'POST', path: '/claim?goal=test&wait=5', headers }))).toBe('403 invalid_signature')
  const id = await server.publish()
  expect((await answer).json.id).toBe(id)
})

test('a wait counts once against the rate of its key', async () => {
  await using server = await TestServer.start({ isClockReal: true })
  const key = await server.newKey()
  for (let i = 0; i < 59; i++) await server.post('/claim', undefined, {}, key)
  expect((await server.post('/claim?wait=0.1', undefined, {}, key)).status).toBe(204)
  expect((await server.post('/claim?wait=0.1', undefined, {}, key)).status).toBe(429)
})

test('who hung up before is handed nothing', async () => {
  await using server = await TestServer.start({ isClockReal: true })
  for (const leave of [(socket: Socket) => void socket.end(), (socket: Socket) => socket.resetAndDestroy()]) {
    leave(await rawClaim(server, '/claim?wait=20'))
    await held()
    const id = await server.publish()
    expect(await status(server, id)).toMatchObject({ status: 'open', claim_attempts: 0 })
    await claim(server)
  }
})

test('who hangs up while the claim is being written keeps no lease and costs no attempt', async () => {
  await using server = await TestServer.start({ isClockReal: true })
  const socket = await rawClaim(server, '/claim?wait=20')
  const next = server.post('/claim?wait=20')
  await held()
  // Both reach the bus in one turn of its loop: the publish, and the end of the one who is to get it.
  const published = server.bus.publish(
    { key: server.bus.keys.identify(MAIN_KEY)!, address: '127.0.0.1', nonce: null },
    { ...PUBLISH, maxAttempts: 1 },
    null,
    '{}'
  )
  socket.resetAndDestroy()
  const { id } = await published
  expect((await next).json).toMatchObject({ id, claim_attempts: 1 })
})

test('settings, a new main key and the end of the bus end the waiting', async () => {
  await using server = await TestServer.start({ isClockReal: true })
  const waiting = server.post('/claim?wait=20')
  await held()
  await server.admin('/admin/control/settings.change', { maintenance: true })
  expect((await waiting).status).toBe(204)
  await server.admin('/admin/control/settings.change', { maintenance: false })
  const last = server.post('/claim?wait=20')
  await held()
  server.bus.endWaits(true)
  expect((await last).status).toBe(204)
  expect((await server.post('/claim?wait=20')).headers['x-intent-wait']).toBe('0')
})

test('a result can be waited for by its publisher', async () => {
  await using server = await TestServer.start({ isClockReal: true })
  const id = await server.publish()
  const answer = server.get(`/result/${id}?wait=10`)
  await held()
  await fulfill(server, await claim(server), { result: { n: 1 } })
  expect((await answer).json).toMatchObject({ status: 'fulfilled', result: { n: 1 } })
  expect((await answer).headers['x-intent-wait']).toBe('10')
  expect((await server.get(`/result/${id}?wait=10`)).json).toMatchObject({ status: 'fulfilled' })
  const other = await server.publish()
  expect((await server.get(`/result/${other}?wait=0.1`)).json).toMatchObject({ status: 'open' })
})

test("a publisher's trace reaches the worker; what is no trace is left out", async () => {
  await using server = await TestServer.start()
  const traceparent = `00-${'a1'.repeat(16)}-${'b2'.repeat(8)}-01`
  await server.post('/intent', { goal: 'test', payload: {} }, { traceparent })
  await server.post('/intent', { goal: 'test', payload: {} }, { traceparent: 'nonsense' })
  await server.post('/intent', { goal: 'test', payload: {} })
  expect(await claim(server)).toMatchObject({ traceparent })
  expect(await claim(server)).not.toHaveProperty('traceparent')
  expect(await claim(server)).not.toHaveProperty('traceparent')
})

test('a hand-turned clock ends a wait, too', async () => {
  await using server = await TestServer.start()
  const answer = server.post('/claim?wait=30')
  await held()
  await server.clock.advance(30)
  expect((await answer).status).toBe(204)
  await settle()
})

test('one request too many for a key is answered at once, and says that it was not held', async () => {
  await using server = await TestServer.start({ isClockReal: true })
  const key = await server.newKey()
  const waits = Array.from({ length: 60 }, () => server.post('/claim?wait=2', undefined, {}, key))
  await held()
  // The rate of a key lets no more than sixty requests through in a minute, so the rest asks for a result by the bus.
  const id = await server.publish()
  await claim(server)
  const caller = callerOf(server.bus.keys.identify(key)!)
  const gone = new AbortController()
  for (let i = 0; i < 4; i++) void server.bus.claim(caller, CLAIM, { seconds: 9, signal: gone.signal, onHeld: () => {} })
  await held()
  let isHeld = false
  expect(await server.bus.claim(caller, CLAIM, { seconds: 9, signal: gone.signal, onHeld: () => (isHeld = true) })).toBeNull()
  expect(isHeld).toBe(false)
  gone.abort()
  for (const wait of waits) expect((await wait).headers['x-intent-wait']).toBe('2')
  const operator = await server.admin(`/result/${id}?wait=0.1`)
  expect([operator.status, operator.headers['x-intent-wait']]).toEqual([200, '0.1'])
})
