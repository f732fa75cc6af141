import { afterAll, expect, test } from 'vitest'
import { ADMIN_TOKEN, BASIC, MAIN_KEY, TestServer } from '../support/test-server.ts'
import { claim, fail, fulfill, lease, refusal, refusalWithMessage } from './steps.ts'

/** For requests that leave nothing behind. */
const shared = await TestServer.start()
afterAll(() => shared[Symbol.asyncDispose]())

test('the result of a fulfilled intent comes with its full status', async () => {
  await using server = await TestServer.start()
  const runAt = server.clock.now()
  const taken = await lease(server, { goal: 'send_notification' })
  await server.clock.advance(2)
  await fulfill(server, taken, { result: { status: 'sent' }, result_type: 'json' })
  const answer = await server.get(`/result/${taken.id}`)
  expect(answer.status).toBe(200)
  expect(answer.headers['content-type']).toMatch(/^application\/json\b/)
  expect(answer.json).toEqual({
    id: taken.id,
    namespace: 'default',
    goal: 'send_notification',
    status: 'fulfilled',
    priority: 100,
    visibility: 'private',
    claim_attempts: 1,
    run_at: runAt,
    claim_expires_at: null,
    target_worker: null,
    required_capability: null,
    result_type: 'json',
    result: { status: 'sent' },
    completed_at: runAt + 2
  })
})

test('the result of an open intent is null with type json', async () => {
  await using server = await TestServer.start()
  const id = await server.publish({ target_worker: 'w', required_capability: 'c', visibility: 'public' })
  expect((await server.get(`/result/${id}`)).json).toMatchObject({
    status: 'open',
    target_worker: 'w',
    required_capability: 'c',
    visibility: 'public',
    result: null,
    result_type: 'json',
    completed_at: null,
    claim_expires_at: null
  })
})

test.each([{}, { result: null }, { result_type: 'text' }, { result_type: 'json' }])(
  'fulfilled without a result, the result is null with type json: %j',
  async (fields) => {
    const taken = await lease(shared)
    await fulfill(shared, taken, fields)
    expect((await shared.get(`/result/${taken.id}`)).json).toMatchObject({
      status: 'fulfilled',
      result: null,
      result_type: 'json'
    })
  }
)

const VALUES = [0, false, '', 'text', [], {}, [null], 1.5]

test.each(VALUES)('any JSON value is a result, by default of type json: %j', async (result) => {
  const taken = await lease(shared)
  await fulfill(shared, taken, { result })
  const { json } = await shared.get(`/result/${taken.id}`)
  expect(json).toHaveProperty('result')
  expect(json.result).toEqual(result)
  expect(json.result_type).toBe('json')
})

test('a result of type text keeps its type', async () => {
  await using server = await TestServer.start()
  const taken = await lease(server)
  await fulfill(server, taken, { result: 'two\nlines', result_type: 'text' })
  expect((await server.get(`/result/${taken.id}`)).json).toMatchObject({ result: 'two\nlines', result_type: 'text' })
})

test('the last error is told as error, and only when there is one', async () => {
  await using server = await TestServer.start()
  const taken = await lease(server)
  for (const path of ['result', 'status']) {
    expect((await server.get(`/${path}/${taken.id}`)).json).not.toHaveProperty('error')
  }
  await fail(server, taken, { error: 'Connection timed out' })
  for (const path of ['result', 'status']) {
    expect((await server.get(`/${path}/${taken.id}`)).json).toMatchObject({ error: 'Connection timed out' })
  }
})

test('the status is the result without its body', async () => {
  await using server = await TestServer.start()
  const taken = await lease(server)
  await fulfill(server, taken, { result: { secret: 'value' } })
  const { json: full } = await server.get(`/result/${taken.id}`)
  const answer = await server.get(`/status/${taken.id}`)
  expect(answer.status).toBe(200)
  expect(answer.json).not.toHaveProperty('result')
  expect(answer.text).not.toContain('value')
  const { result: _, result_type: __, ...rest } = full
  expect(answer.json).toMatchObject(rest)
})

test.each(['result', 'status'])('publisher, current claimer and main key may read the %s, others not', async (path) => {
  await using server = await TestServer.start()
  const [publisher, claimer] = [await server.newKey('publisher'), await server.newKey('claimer')]
  const stranger = await server.newKey('stranger')
  const id = await server.publish({ visibility: 'public' }, publisher)
  expect(refusal(await server.get(`/${path}/${id}`, {}, claimer))).toBe('403 forbidden')
  await claim(server, '', claimer)
  for (const key of [publisher, claimer, MAIN_KEY]) {
    expect((await server.get(`/${path}/${id}`, {}, key)).json).toMatchObject({ id, status: 'claimed' })
  }
  expect(refusal(await server.get(`/${path}/${id}`, {}, stranger))).toBe('403 forbidden')
})

test.each(['result', 'status'])('whose lease has ended reads the %s no more', async (path) => {
  await using server = await TestServer.start()
  const [publisher, claimer] = [await server.newKey('publisher'), await server.newKey('claimer')]
  const id = await server.publish({ visibility: 'public' }, publisher)
  await claim(server, '', claimer)
  await server.clock.advance(60)
  expect(refusal(await server.get(`/${path}/${id}`, {}, claimer))).toBe('403 forbidden')
})

test.each(['result', 'status'])('an operator reads the %s without a key', async (path) => {
  await using server = await TestServer.start()
  const id = await server.publish({}, await server.newKey('alice'))
  const credentials: Record<string, string>[] = [{ 'X-Admin-Token': ADMIN_TOKEN }, { Authorization: BASIC }]
  for (const headers of credentials) {
    expect((await server.ask({ path: `/${path}/${id}`, headers })).json).toMatchObject({ id, status: 'open' })
  }
})

test.each(['result', 'status'])('without a key the %s is 401', async (path) => {
  const id = await shared.publish()
  expect(refusalWithMessage(await shared.ask({ path: `/${path}/${id}` }))).toBe('401 unauthorized: Missing API key.')
})

test.each(['result', 'status'])('the %s of an unknown intent is 404', async (path) => {
  await using server = await TestServer.start()
  const bob = await server.newKey('bob')
  for (const id of ['0'.repeat(32), 'x', '..', '%2F', 'f'.repeat(64)]) {
    expect(refusal(await server.get(`/${path}/${id}`))).toBe('404 not_found')
    expect(refusal(await server.get(`/${path}/${id}`, {}, bob))).toBe('404 not_found')
  }
})
