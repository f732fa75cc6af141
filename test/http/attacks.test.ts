import { connect, type Socket } from 'node:net'
import { spawn } from 'node:child_process'
import { openSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { BUILT_HEADLESS, BusProcess, cleanEnvironment } from '../support/bus-process.ts'
import { temporaryFolder } from '../support/folders.ts'
import { ask, signatureHeaders, type HttpAnswer } from '../support/http-client.ts'
import { ADMIN_TOKEN, MAIN_KEY, PASSWORD, TestServer } from '../support/test-server.ts'
import { refusal } from './steps.ts'

function open(url: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(new URL(url).port), '127.0.0.1', () => resolve(socket))
    socket.once('error', reject)
  })
}

test('a client that resets its connection after CONNECT does not take the bus down', async () => {
  using folder = temporaryFolder()
  await using bus = await BusProcess.start(folder.path)
  for (let i = 0; i < 20; i++) {
    const socket = await open(bus.url)
    socket.on('error', () => {})
    socket.write('CONNECT a:1 HTTP/1.1\r\nHost: localhost\r\n\r\n')
    socket.resetAndDestroy()
  }
  expect((await ask(bus.url, { path: '/health' })).status).toBe(200)
})

test('a client that goes away in the middle of its body is no error of the bus', async () => {
  using folder = temporaryFolder()
  await using bus = await BusProcess.start(folder.path)
  const socket = await open(bus.url)
  socket.write(`POST /intent HTTP/1.1\r\nHost: localhost\r\nX-API-KEY: ${bus.mainKey}\r\nContent-Length: 9\r\n\r\n{`)
  await new Promise((resolve) => setTimeout(resolve, 50))
  socket.destroy()
  await new Promise((resolve) => setTimeout(resolve, 50))
  await bus.kill('SIGTERM')
  expect(bus.stderr).not.toContain('"level":50')
})

test('nonsense behind a good request does not swallow its answer', async () => {
  using folder = temporaryFolder()
  await using bus = await BusProcess.start(folder.path)
  const body = '{"goal":"g","payload":1}'
  const socket = await open(bus.url)
  let received = ''
  socket.setEncoding('utf8').on('data', (chunk: string) => (received += chunk))
  const closed = new Promise((resolve) => void socket.on('close', resolve))
  socket.write(
    `POST /intent HTTP/1.1\r\nHost: localhost\r\nX-API-KEY: ${bus.mainKey}\r\nContent-Length: ${body.length}\r\n\r\n${body}GARBAGE\r\n\r\n`
  )
  await closed
  expect(received).toMatch(/^HTTP\/1\.1 201 Created/)
})

test('a log that cannot be written does not stop the bus', async () => {
  using folder = temporaryFolder()
  const env = { ...cleanEnvironment(), BUS_DATA_DIR: folder.path, BUS_PORT: '0' }
  const child = spawn(process.execPath, [BUILT_HEADLESS], { env, stdio: ['ignore', 'pipe', openSync('/dev/full', 'w')] })
  const line = await new Promise<string>((resolve) => void child.stdout!.setEncoding('utf8').once('data', resolve))
  const { url } = JSON.parse(line) as { url: string }
  for (let i = 0; i < 20; i++) expect((await ask(url, { path: '/nope' })).status).toBe(404)
  const exited = new Promise((resolve) => void child.on('exit', resolve))
  child.kill('SIGTERM')
  expect(await exited).toBe(0)
})

test('a log that nobody reads does not hold up requests', async () => {
  using folder = temporaryFolder()
  const env = { ...cleanEnvironment(), BUS_DATA_DIR: folder.path, BUS_PORT: '0', BUS_LOG_LEVEL: 'debug' }
  const child = spawn(process.execPath, [BUILT_HEADLESS], { env, stdio: ['ignore', 'pipe', 'pipe'] })
  child.stderr!.pause()
  const line = await new Promise<string>((resolve) => void child.stdout!.setEncoding('utf8').once('data', resolve))
  const { url } = JSON.parse(line) as { url: string }
  const path = `/${'x'.repeat(7_000)}`
  for (let i = 0; i < 800; i++) expect((await ask(url, { path })).status).toBe(404)
  const exited = new Promise((resolve) => void child.on('exit', resolve))
  child.kill('SIGKILL')
  await exited
})

test.each(['127.evil.example', '127.0.0.1.evil.example', 'localhost.evil.example', 'evil.example', '127', '[::1', ''])(
  'the Host %s is none of this bus’s',
  async (host) => {
    await using server = await TestServer.start()
    const answer = await server.ask({ path: '/health', headers: { Host: `${host}:7610` } })
    expect(answer.status).toBe(403)
    expect(answer.json.error.code).toBe('invalid_host')
  }
)

test('two folders that name one database in different ways cannot both have it', async () => {
  using folder = temporaryFolder()
  await using first = await BusProcess.start(join(folder.path, 'one'))
  const env = { BUS_DB_PATH: join(folder.path, 'one', 'infrastructure.db') }
  await using second = BusProcess.spawn(join(folder.path, 'two'), env)
  expect((await second.exited).code).toBe(2)
  expect(second.stderr).toContain('Another bus holds')
  expect(first.process.exitCode).toBeNull()
})

test('a deeply nested body with an Idempotency-Key is published, once', async () => {
  await using server = await TestServer.start()
  const body = `{"goal":"deep","payload":${'['.repeat(3_570)}${']'.repeat(3_570)}}`
  const first = await server.post('/intent', body, { 'Idempotency-Key': 'deep' })
  const second = await server.post('/intent', body, { 'Idempotency-Key': 'deep' })
  expect([first.status, second.text]).toEqual([201, first.text])
})

test('a signed claim that found nothing cannot be replayed after a crash', async () => {
  using folder = temporaryFolder()
  let headers: Record<string, string> = {}
  {
    await using bus = await BusProcess.start(folder.path)
    headers = signatureHeaders(bus.mainKey, 'POST', '/claim?goal=pay', '')
    expect((await ask(bus.url, { method: 'POST', path: '/claim?goal=pay', headers })).status).toBe(204)
    await bus.kill('SIGKILL')
  }
  await using bus = await BusProcess.start(folder.path)
  const publish = { method: 'POST', path: '/intent', headers: { 'X-API-KEY': bus.mainKey } }
  expect((await ask(bus.url, { ...publish, body: { goal: 'pay', payload: 1 } })).status).toBe(201)
  const replay = await ask(bus.url, { method: 'POST', path: '/claim?goal=pay', headers })
  expect(replay.json.error).toEqual({ code: 'invalid_signature', message: 'Replay detected' })
})

test.each(['*', '%2A', 'key_unknown', 'main%0Aw%0Ac', 'key_00000000000000ff'])(
  'the main key gets nothing for a publisher that does not exist: %s',
  async (publisher) => {
    await using server = await TestServer.start()
    await server.publish({ visibility: 'public', goal: '\n\ng', target_worker: 'w', required_capability: 'c' })
    await server.publish({ visibility: 'public' })
    expect((await server.post(`/claim?publisher=${publisher}`)).status).toBe(204)
    expect((await server.post(`/claim?publisher=${MAIN_KEY}`)).status).toBe(200)
  }
)

/** What a proxy says of a request from another machine. */
const from = (address: string) => ({ 'X-Forwarded-For': address, 'X-Forwarded-Proto': 'https' })

function login(server: TestServer, password: string, headers: Readonly<Record<string, string>> = {}): Promise<HttpAnswer> {
  return server.ask({ method: 'POST', path: '/admin/control/login', body: { password }, headers })
}

test('guesses that come all at once from another machine are not all looked at, and keep nobody else out', async () => {
  await using server = await TestServer.start({ trustProxy: true })
  const socket = await open(server.url)
  let received = ''
  socket.setEncoding('utf8').on('data', (chunk: string) => (received += chunk))
  const raw = (password: string): string => {
    const body = JSON.stringify({ password })
    const headers = 'Host: localhost\r\nX-Forwarded-For: 10.0.0.7\r\nX-Forwarded-Proto: https\r\n'
    return `POST /admin/control/login HTTP/1.1\r\n${headers}Content-Length: ${body.length}\r\n\r\n${body}`
  }
  socket.write(`${raw('guess').repeat(199)}${raw(PASSWORD)}`)
  const statuses = () => [...received.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => Number(status))
  while (statuses().length < 200) await new Promise((resolve) => setTimeout(resolve, 10))
  socket.destroy()
  expect(new Set(statuses())).toEqual(new Set([401, 429]))
  expect(statuses().filter((status) => status === 401).length).toBeLessThan(50)
  const again = await login(server, PASSWORD, from('10.0.0.7'))
  expect([refusal(again), again.headers['retry-after']]).toEqual(['429 rate_limited', '5'])
  expect((await login(server, PASSWORD, from('10.0.0.8'))).status).toBe(200)
  expect((await login(server, PASSWORD)).status).toBe(200)
})

test('a right password opens at once while others on this machine guess, whose guesses stay 401', async () => {
  await using server = await TestServer.start()
  const guesses = Array.from({ length: 200 }, (_, i) => login(server, `guess ${i}`))
  await Promise.race(guesses)
  expect((await login(server, PASSWORD)).status).toBe(200)
  expect(new Set((await Promise.all(guesses)).map(({ status }) => status))).toEqual(new Set([401]))
  expect((await login(server, PASSWORD)).status).toBe(200)
})

test('addresses of one foreign IPv6 network are one guesser, and what is no address counts for the proxy’s own', async () => {
  await using server = await TestServer.start({ trustProxy: true })
  const guess = (address: string) => login(server, 'guess', from(address))
  const answers = await Promise.all(Array.from({ length: 150 }, (_, i) => guess(`[2001:db8::${i.toString(16)}]:4${i}`)))
  expect(answers.map(({ status }) => status)).toContain(429)
  expect((await login(server, PASSWORD, from('2001:db8::ffff'))).status).toBe(429)
  expect((await login(server, PASSWORD, from('2001:db8:0:1::1'))).status).toBe(200)
  expect((await login(server, PASSWORD, from('x'.repeat(5_000)))).status).toBe(200)
  const sessions = server.bus.sessions.list().map(({ address }) => address).sort()
  expect(sessions).toEqual(['127.0.0.1', '2001:db8:0:1::1'])
})

test('wrong keys keep out neither right ones nor passwords', async () => {
  await using server = await TestServer.start({ trustProxy: true })
  const ask = (key: string) => server.get('/get/k', from('10.0.0.7'), key)
  const wrong = Promise.all(Array.from({ length: 150 }, () => ask('wrong')))
  const right = await Promise.all(Array.from({ length: 20 }, () => ask(MAIN_KEY)))
  expect(new Set(right.map(({ status }) => status))).toEqual(new Set([404]))
  expect((await login(server, PASSWORD, from('10.0.0.7'))).status).toBe(200)
  expect((await wrong).map(({ status }) => status)).toContain(429)
})

test('a HEAD of the events is answered, and holds no place among those who follow', async () => {
  await using server = await TestServer.start()
  const headers = { 'X-Admin-Token': ADMIN_TOKEN }
  for (let i = 0; i < 70; i++) {
    expect((await server.ask({ method: 'HEAD', path: '/admin/control/events', headers })).status).toBe(200)
  }
})

test('a long question is given up when whoever asked it goes away', async () => {
  await using server = await TestServer.start()
  const asked = Promise.withResolvers<void>()
  const givenUp = Promise.withResolvers<void>()
  server.bus.reader.ask = (_name: unknown, ...given: readonly unknown[]) => {
    const gone = given.at(-1) as AbortSignal
    asked.resolve()
    return new Promise<never>((_resolve, reject) => {
      gone.addEventListener('abort', () => {
        givenUp.resolve()
        reject(new Error('given up'))
      })
    })
  }
  const socket = await open(server.url)
  socket.write(
    `POST /admin/control/intents.list HTTP/1.1\r\nHost: localhost\r\nX-Admin-Token: ${ADMIN_TOKEN}\r\nContent-Length: 2\r\n\r\n{}`
  )
  await asked.promise
  socket.destroy()
  await givenUp.promise
})

test('a browser cannot open folders on the screen of the desktop app', async () => {
  const shown: string[] = []
  await using server = await TestServer.start({ host: { shell: 'desktop', show: async (what) => void shown.push(what) } })
  const answer = await server.admin('/admin/control/desktop.show', { what: 'data' })
  expect([answer.status, answer.json.error.code, shown]).toEqual([403, 'forbidden', []])
})

test('connections that break while they are answered put nothing into the log but its own lines', async () => {
  using folder = temporaryFolder()
  await using bus = await BusProcess.start(folder.path)
  for (let i = 0; i < 10; i++) {
    const socket = await open(bus.url)
    socket.on('error', () => {})
    socket.write('GET /get/k HTTP/1.1\r\nHost: localhost\r\nX-API-KEY: wrong\r\n\r\n'.repeat(500))
    await new Promise((resolve) => setTimeout(resolve, 100))
    socket.resetAndDestroy()
  }
  await bus.kill('SIGTERM')
  const strange = bus.stderr.split('\n').filter((line) => line !== '' && !line.startsWith('{'))
  expect(strange).toEqual([])
})

test('events that are asked for many times on one connection hold no place once it is gone', async () => {
  await using server = await TestServer.start()
  const ask = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: localhost\r\nX-API-KEY: ${MAIN_KEY}\r\nX-Admin-Token: ${ADMIN_TOKEN}\r\n\r\n`
  for (const path of ['/admin/control/events', '/events']) {
    const socket = await open(server.url)
    socket.write(ask(path).repeat(100))
    await new Promise((resolve) => socket.once('data', resolve))
    socket.destroy()
    const again = await open(server.url)
    const status = new Promise((resolve) => again.setEncoding('utf8').once('data', (text: string) => resolve(text.slice(9, 12))))
    await new Promise((resolve) => setTimeout(resolve, 100))
    again.write(ask(path))
    expect([path, await status]).toEqual([path, '200'])
    again.destroy()
  }
})
