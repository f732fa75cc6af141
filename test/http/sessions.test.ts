import { expect, test } from 'vitest'
import { EventStream } from '../control/event-stream.ts'
import { ADMIN_TOKEN, BASIC, MAIN_KEY, PASSWORD, TestServer } from '../support/test-server.ts'
import { refusalWithMessage, sessionHeaders } from './steps.ts'

const STATUS = '/admin/control/status.get'

/** Logs in as a browser does; the answer are the headers that carry the session. */
async function login(server: TestServer): Promise<ReturnType<typeof sessionHeaders>> {
  const answer = await server.ask({ method: 'POST', path: '/admin/control/login', body: { password: PASSWORD } })
  expect(answer.status).toBe(200)
  return sessionHeaders(answer)
}

function call(server: TestServer, headers: Readonly<Record<string, string>>, path = STATUS, body: unknown = {}) {
  return server.ask({ method: 'POST', path, body, headers: { 'Content-Type': 'application/json', ...headers } })
}

test('without a login nothing is told, and no browser asks for a password by itself', async () => {
  await using server = await TestServer.start()
  const answer = await call(server, {})
  expect(refusalWithMessage(answer)).toBe('401 unauthorized: Log in first: there is no session, or it is over.')
  expect(answer.headers).not.toHaveProperty('www-authenticate')
  using events = await EventStream.open(server.url, {})
  expect(events.status).toBe(401)
})

test('the right password opens a session that scripts and other sites cannot use', async () => {
  await using server = await TestServer.start()
  const given = await server.ask({ method: 'POST', path: '/admin/control/login', body: { password: PASSWORD } })
  const cookie = String(given.headers['set-cookie'])
  expect(cookie).toMatch(/^intent_bus_\d+=[\w-]{43}; Max-Age=2592000; Path=\/admin; HttpOnly; SameSite=Strict$/)
  const answer = await call(server, sessionHeaders(given))
  expect(answer.status).toBe(200)
  expect(answer.json.value).toMatchObject({ state: 'running', listener: { state: 'listening', url: server.url } })
})

test.each([
  ['a wrong password', { password: 'not it' }, '401 unauthorized: Wrong password.'],
  ['the main key', { password: MAIN_KEY }, '401 unauthorized: Wrong password.'],
  ['the admin token', { password: ADMIN_TOKEN }, '401 unauthorized: Wrong password.'],
  ['no password', {}, '400 invalid_request: The login needs a JSON body with a password.'],
  ['a list', { password: [PASSWORD] }, '400 invalid_request: The login needs a JSON body with a password.']
])('%s opens none', async (_what, body, expected) => {
  await using server = await TestServer.start()
  const answer = await server.ask({ method: 'POST', path: '/admin/control/login', body })
  expect(refusalWithMessage(answer)).toBe(expected)
  expect(answer.headers).not.toHaveProperty('set-cookie')
})

test.each([
  ['the admin token', { 'X-Admin-Token': ADMIN_TOKEN }],
  ['the password in the way of SPEC 5.3', { Authorization: BASIC }]
])('%s does without a session', async (_what, headers) => {
  await using server = await TestServer.start()
  expect((await call(server, headers)).status).toBe(200)
})

test('a logout ends the session and its events at once', async () => {
  await using server = await TestServer.start()
  const session = await login(server)
  using events = await EventStream.open(server.url, session)
  expect(events.status).toBe(200)
  const answer = await server.ask({ method: 'POST', path: '/admin/control/logout', headers: session })
  expect([answer.status, String(answer.headers['set-cookie'])]).toEqual([204, expect.stringContaining('Max-Age=0')])
  await events.ended
  expect((await call(server, session)).status).toBe(401)
})

test('ending all sessions leaves the one that asks', async () => {
  await using server = await TestServer.start()
  const [mine, others] = [await login(server), await login(server)]
  using events = await EventStream.open(server.url, others)
  const answer = await call(server, mine, '/admin/control/access.endSessions')
  expect(answer.json.value).toEqual({ ended: 1 })
  await events.ended
  expect([(await call(server, mine)).status, (await call(server, others)).status]).toEqual([200, 401])
})

test('a session is over after seven days without use, and after thirty in any case', async () => {
  await using server = await TestServer.start()
  const [idle, used] = [await login(server), await login(server)]
  for (let day = 0; day < 29; day += 6) {
    await server.clock.advance(6 * 86_400)
    if (day < 24) expect((await call(server, used)).status).toBe(200)
  }
  expect((await call(server, idle)).status).toBe(401)
  expect((await call(server, used)).status).toBe(401)
})

test('a new password ends the other sessions, and the old password opens none', async () => {
  await using server = await TestServer.start()
  const [mine, others] = [await login(server), await login(server)]
  const next = 'a better password'
  const change = (password: string) => call(server, mine, '/admin/control/access.changePassword', { password, next })
  expect((await change('not it')).json.error).toEqual({ code: 'forbidden', message: 'Wrong password.', field: 'password' })
  expect((await change(PASSWORD)).status).toBe(200)
  expect([(await call(server, mine)).status, (await call(server, others)).status]).toEqual([200, 401])
  const attempts = [PASSWORD, next].map((password) => server.ask({ method: 'POST', path: '/admin/control/login', body: { password } }))
  expect((await Promise.all(attempts)).map(({ status }) => status)).toEqual([401, 200])
})

test('a session alone does not read the main key', async () => {
  await using server = await TestServer.start()
  const session = await login(server)
  const reveal = (body: unknown) => call(server, session, '/admin/control/keys.revealMain', body)
  expect((await reveal({})).json.error).toMatchObject({ message: 'Enter the password to see or change a secret.', field: 'password' })
  expect((await reveal({ password: 'guess' })).json.error).toMatchObject({ code: 'forbidden', message: 'Wrong password.' })
  expect((await reveal({ password: PASSWORD })).json.value).toEqual({ secret: MAIN_KEY })
})

test.each([
  ['another site', { 'Sec-Fetch-Site': 'cross-site' }],
  ['another port of this machine', { 'Sec-Fetch-Site': 'same-site' }],
  ['an old browser on another site', { Origin: 'http://evil.example' }]
])('%s can use a session neither to change nor to read', async (_what, headers) => {
  await using server = await TestServer.start()
  const session = await login(server)
  for (const [method, path] of [
    ['POST', STATUS],
    ['POST', '/admin/control/login'],
    ['POST', '/admin/control/logout'],
    ['GET', '/admin/control/events']
  ] as const) {
    expect((await server.ask({ method, path, headers: { ...session, ...headers } })).json.error.code).toBe('cross_site')
  }
})

test('sessions outlive a restart of the bus, and their cookies are nowhere in its database', async () => {
  await using server = await TestServer.start()
  const session = await login(server)
  const halves = [session.Cookie.split('=')[1]!, session['X-Intent-Session']]
  const { readFileSync } = await import('node:fs')
  await server.bus.setPaused(false)
  for (const path of [server.databasePath, `${server.databasePath}-wal`]) {
    expect(halves.map((half) => readFileSync(path).includes(half))).toEqual([false, false])
  }
  expect(server.bus.sessions.find(halves.join(''))).toBeDefined()
})

test('a slow guesser is told so each time and never let in', async () => {
  await using server = await TestServer.start()
  for (let i = 0; i < 8; i++) {
    const { status } = await server.ask({ method: 'POST', path: '/admin/control/login', body: { password: `guess ${i}` } })
    expect(status).toBe(401)
  }
  await login(server)
})

test('whether there is a session is told without refusing', async () => {
  await using server = await TestServer.start()
  const ask = async (headers: Readonly<Record<string, string>>) => {
    const { status, json } = await server.ask({ path: '/admin/control/session', headers })
    return [status, json.value]
  }
  expect(await ask({})).toEqual([200, { isOpen: false }])
  expect(await ask(await login(server))).toEqual([200, { isOpen: true }])
})

test('a cookie of the same name that another port set does not hide the session', async () => {
  await using server = await TestServer.start()
  const session = await login(server)
  const name = session.Cookie.split('=')[0]!
  expect((await call(server, { ...session, Cookie: `${name}=planted; ${session.Cookie}` })).status).toBe(200)
  expect((await call(server, { ...session, Cookie: `${name}=planted` })).status).toBe(401)
})

test('the cookie alone, which a browser sends to every port of the host, opens nothing, and neither does the page’s half', async () => {
  await using server = await TestServer.start()
  const { Cookie, 'X-Intent-Session': half } = await login(server)
  for (const headers of [{ Cookie }, { 'X-Intent-Session': half }, { Cookie, 'X-Intent-Session': '' }, { Cookie, 'X-Intent-Session': Cookie.split('=')[1]! }]) {
    expect((await call(server, headers)).status).toBe(401)
    using events = await EventStream.open(server.url, headers)
    expect(events.status).toBe(401)
  }
  expect((await server.ask({ path: `/admin/control/events?session=${half}`, method: 'HEAD', headers: { Cookie } })).status).toBe(200)
  expect((await server.ask({ path: `/admin/control/events?session=${half}`, method: 'HEAD' })).status).toBe(401)
})

test.each([
  ['by its origin', (url: string) => ({ Origin: url })],
  ['by what its browser adds', () => ({ 'Sec-Fetch-Site': 'same-origin' })]
])('a page, told %s, gets nowhere by a password that the browser remembers', async (_what, pageHeaders) => {
  await using server = await TestServer.start()
  const remembered = { Authorization: BASIC, ...pageHeaders(server.url) }
  const reveal = '/admin/control/keys.revealMain'
  expect((await call(server, remembered, reveal)).status).toBe(401)
  expect((await call(server, { ...remembered, ...(await login(server)) }, reveal)).json.error.field).toBe('password')
  expect((await call(server, { Authorization: BASIC }, reveal)).json.value).toEqual({ secret: MAIN_KEY })
})

test('a login that is under way with the old password does not outlive it', async () => {
  await using server = await TestServer.start()
  const mine = await login(server)
  const sessions: ReturnType<typeof sessionHeaders>[] = []
  let isChanged = false
  const guest = async (): Promise<void> => {
    while (!isChanged) {
      const answer = await server.ask({ method: 'POST', path: '/admin/control/login', body: { password: PASSWORD } })
      if (answer.status === 200) sessions.push(sessionHeaders(answer))
    }
  }
  const guests = Promise.all(Array.from({ length: 8 }, guest))
  while (sessions.length < 50) await new Promise((resolve) => setTimeout(resolve, 1))
  const body = { password: PASSWORD, next: 'a better password' }
  expect((await call(server, mine, '/admin/control/access.changePassword', body)).status).toBe(200)
  isChanged = true
  await guests
  const statuses = await Promise.all(sessions.map(async (session) => (await call(server, session)).status))
  expect(statuses.filter((status) => status !== 401)).toEqual([])
})

test('events that a password opened end with it', async () => {
  await using server = await TestServer.start()
  using byPassword = await EventStream.open(server.url, { Authorization: BASIC })
  using byToken = await EventStream.open(server.url, { 'X-Admin-Token': ADMIN_TOKEN })
  const body = { password: PASSWORD, next: 'a better password' }
  expect((await call(server, { 'X-Admin-Token': ADMIN_TOKEN }, '/admin/control/access.changePassword', body)).status).toBe(200)
  await byPassword.ended
  await server.publish({ goal: 'after' })
  await server.clock.advance(1)
  await byToken.frame(({ changes }) => changes.some(({ goal }) => goal === 'after'))
})

test('a page hears nothing more once its session was ended from elsewhere', async () => {
  await using server = await TestServer.start()
  using events = await EventStream.open(server.url, await login(server))
  await events.frame(() => true)
  await server.bus.sessions.endAll()
  await server.publish({ goal: 'secret' })
  await server.clock.advance(1)
  await events.ended
  expect(events.frames.flatMap(({ changes }) => changes)).toEqual([])
})

test.each(['/admin/control/login', '/admin/control/pair', '/admin/control/pair/wait', '/pair', '/pair/wait'])(
  'what is no JSON is not quoted by the refusal: %s',
  async (path) => {
    await using server = await TestServer.start()
    for (const body of ['K7QF-92MX', '{"password":hunter2}', "{'code':'K7QF92MX'}"]) {
      expect(refusalWithMessage(await call(server, {}, path, body))).toBe('400 invalid_json: The request body is not valid JSON.')
    }
  }
)
