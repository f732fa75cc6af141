import { expect, test } from 'vitest'
import { TestServer } from '../support/test-server.ts'
import { claim, claimed, DAY, extend, fail, fulfill, lease, refusalWithMessage, status } from './steps.ts'

const MUTATIONS: [name: string, mutate: typeof fulfill][] = [
  ['fulfill', fulfill],
  ['fail', fail],
  ['extend_claim', extend]
]

test('a lease ends after 60 seconds, and a worker can tell it from the status', async () => {
  await using server = await TestServer.start()
  const { id } = await lease(server)
  const end = server.clock.now() + 60
  expect(await status(server, id)).toMatchObject({ status: 'claimed', claim_expires_at: end, claim_attempts: 1 })
  await server.clock.advance(59)
  expect(await claimed(server)).toBe(204)
  expect(await status(server, id)).toMatchObject({ status: 'claimed' })
  await server.clock.advance(1)
  expect(await status(server, id)).toMatchObject({ status: 'open', claim_expires_at: null, claim_attempts: 1 })
})

test('the length of a lease can be set', async () => {
  await using server = await TestServer.start({ claimTimeout: 5 })
  const { id } = await lease(server)
  await server.clock.advance(4)
  expect(await claimed(server)).toBe(204)
  await server.clock.advance(1)
  expect(await claimed(server)).toBe(id)
})

test('an intent whose lease ended keeps its run_at and is claimable at once', async () => {
  await using server = await TestServer.start()
  const { id } = await lease(server)
  const { run_at } = await status(server, id)
  await server.clock.advance(60)
  expect(await status(server, id)).toMatchObject({ status: 'open', run_at })
  expect(await claim(server)).toMatchObject({ id, claim_attempts: 2 })
})

test('a claim finds an ended lease that nobody has looked at', async () => {
  await using server = await TestServer.start()
  const { id } = await lease(server)
  await server.clock.advance(3600)
  expect(await claimed(server)).toBe(id)
})

test('an intent whose lease ends with its attempts used up is dead at that moment, without traffic', async () => {
  await using server = await TestServer.start()
  const { id } = await lease(server, { max_attempts: 1, payload: { a: 1 } })
  await server.clock.advance(60)
  const died = server.clock.now()
  await server.clock.advance(1)
  expect(await status(server, id)).toMatchObject({ status: 'dead', claim_expires_at: null, claim_attempts: 1 })
  expect((await server.admin('/admin/dead')).json).toMatchObject([{ intent_id: id, attempts: 1, created_at: died }])
  expect((await server.admin(`/admin/dead/${id}`)).json).toMatchObject({ payload: { a: 1 } })
  expect(await claimed(server)).toBe(204)
})

test('three leases that end use up the default of three attempts', async () => {
  await using server = await TestServer.start()
  const id = await server.publish()
  for (let attempt = 1; attempt <= 3; attempt++) {
    expect(await claim(server)).toMatchObject({ id, claim_attempts: attempt })
    await server.clock.advance(60)
  }
  expect(await status(server, id)).toMatchObject({ status: 'dead', claim_attempts: 3 })
})

test.each(MUTATIONS)('%s after the lease has ended is 404', async (_name, mutate) => {
  await using server = await TestServer.start()
  const late = await lease(server)
  await server.clock.advance(60)
  expect(refusalWithMessage(await mutate(server, late))).toMatch(/^404 not_found: .*not found/i)
  expect(await status(server, late.id)).toMatchObject({ status: 'open' })
})

test.each(MUTATIONS)('%s with the token of an earlier claim is 404 and changes nothing', async (_name, mutate) => {
  await using server = await TestServer.start()
  const first = await lease(server)
  await server.clock.advance(60)
  const second = await claim(server)
  const end = server.clock.now() + 60
  expect(refusalWithMessage(await mutate(server, first))).toMatch(/^404 not_found: .*not found/i)
  expect(await status(server, first.id)).toMatchObject({ status: 'claimed', claim_expires_at: end })
  expect((await mutate(server, second)).status).toBe(200)
})

test.each(MUTATIONS)('%s with a wrong token is 404 and changes nothing', async (_name, mutate) => {
  await using server = await TestServer.start()
  const taken = await lease(server)
  for (const claim_token of ['0'.repeat(32), taken.claim_token.toUpperCase() + 'A', `${taken.claim_token} `, 'x']) {
    const answer = await mutate(server, { ...taken, claim_token })
    expect(refusalWithMessage(answer)).toMatch(/^404 not_found: .*not found/i)
  }
  expect(await status(server, taken.id)).toMatchObject({ status: 'claimed' })
})

test.each(MUTATIONS)('%s with the right token but the key of another is 404', async (_name, mutate) => {
  await using server = await TestServer.start()
  const [alice, bob] = [await server.newKey('alice'), await server.newKey('bob')]
  await server.publish({ visibility: 'public' }, alice)
  const taken = await claim(server, '', bob)
  for (const key of [alice, undefined]) {
    expect(refusalWithMessage(await mutate(server, taken, {}, key))).toMatch(/^404 not_found: .*not found/i)
  }
  expect((await mutate(server, taken, {}, bob)).status).toBe(200)
})

test.each(MUTATIONS)('%s of an intent that is unknown, open or no id at all is 404', async (_name, mutate) => {
  await using server = await TestServer.start()
  const open = await server.publish()
  for (const id of [open, '0'.repeat(32), 'f'.repeat(32), 'x', '%20', '1234']) {
    const answer = await mutate(server, { id, claim_token: '0'.repeat(32), claim_attempts: 1, payload: {} })
    expect(refusalWithMessage(answer)).toMatch(/^404 not_found: .*not found/i)
  }
})

test.each(MUTATIONS)('%s without a claim token is 400', async (name) => {
  await using server = await TestServer.start()
  const { id } = await lease(server)
  for (const body of [undefined, {}, { claim_token: null }]) {
    const answer = await server.post(`/${name}/${id}`, body)
    expect(refusalWithMessage(answer)).toBe('400 invalid_request: Missing claim_token.')
  }
  expect(await status(server, id)).toMatchObject({ status: 'claimed' })
})

test.each(MUTATIONS)('%s with a claim token that is no text is 400', async (name) => {
  await using server = await TestServer.start()
  const { id } = await lease(server)
  for (const claim_token of [5, true, [], {}]) {
    const answer = await server.post(`/${name}/${id}`, { claim_token })
    expect(refusalWithMessage(answer)).toMatch(/^400 invalid_/)
  }
})

test.each(MUTATIONS)('%s without a key is 401', async (name) => {
  await using server = await TestServer.start()
  const { id, claim_token } = await lease(server)
  const answer = await server.ask({ method: 'POST', path: `/${name}/${id}`, body: { claim_token } })
  expect(refusalWithMessage(answer)).toBe('401 unauthorized: Missing API key.')
})

test('a lease that runs on beyond the lifetime of its intent can still be settled', async () => {
  await using server = await TestServer.start()
  await server.publish()
  await server.clock.advance(DAY - 10)
  const taken = await claim(server)
  await server.clock.advance(30)
  expect((await fulfill(server, taken)).status).toBe(200)
})

test('an open intent leaves the queue 24 hours after its run_at and keeps a trace for operators', async () => {
  await using server = await TestServer.start()
  const id = await server.publish()
  await server.clock.advance(DAY - 1)
  expect(await status(server, id)).toMatchObject({ status: 'open' })
  await server.clock.advance(1)
  expect(await claimed(server)).toBe(204)
  expect(refusalWithMessage(await server.get(`/status/${id}`))).toMatch(/^404 not_found/)
  expect((await server.admin('/admin/dead')).json).toEqual([])
  expect((await server.admin(`/admin/intents/${id}`)).json).toMatchObject({ id, goal: 'test' })
})

test('a delayed intent has its 24 hours from when it may first run', async () => {
  await using server = await TestServer.start()
  const id = await server.publish({ delay: 2 * DAY })
  await server.clock.advance(2 * DAY)
  expect(await status(server, id)).toMatchObject({ status: 'open' })
  await server.clock.advance(DAY - 1)
  const taken = await claim(server)
  expect(taken.id).toBe(id)
  await fail(server, taken)
  await server.clock.advance(1)
  expect((await server.get(`/status/${id}`)).status).toBe(404)
})
