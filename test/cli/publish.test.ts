import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { temporaryFolder } from '../support/folders.ts'
import { TestServer } from '../support/test-server.ts'
import { Command, deserted, environmentOf, jsonOf, runCli } from './cli.ts'
import { Stranger } from './stranger.ts'
import { Terminal } from './terminal.ts'

const EXACT = '{"big":12345678901234567890,"price":1.10}'

async function startServer() {
  return TestServer.start({ isClockReal: true })
}

/** Claims whatever there is and settles it, as some other worker would. */
async function settle(server: TestServer, how: 'fulfill' | 'fail', body: string): Promise<void> {
  const { id, claim_token } = (await server.post('/claim')).json
  const answer = await server.post(`/${how}/${id}`, `{"claim_token":"${claim_token}",${body}}`)
  expect(answer.status).toBe(200)
}

test('prints the id of what it published; the payload keeps every digit, from wherever it comes', async () => {
  await using server = await startServer()
  using folder = temporaryFolder()
  const file = join(folder.path, 'payload.json')
  writeFileSync(file, `\n${EXACT}\n`)
  const env = environmentOf(server)
  const ways = [
    await runCli(['publish', 'g', EXACT], env),
    await runCli(['publish', 'g', '-'], env, EXACT),
    await runCli(['publish', 'g', '--file', file], env)
  ]
  for (const { code, stdout, stderr } of ways) {
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toMatch(/^[0-9a-f]{32}\n$/)
    expect((await server.admin(`/admin/intents/${stdout.trim()}`)).text).toContain(`"payload":${EXACT}`)
  }
  const { stdout } = await runCli(['publish', 'g'], env)
  expect((await server.admin(`/admin/intents/${stdout.trim()}`)).json.payload).toEqual({})
})

test.each([
  ['publish', 'g', '-'],
  ['kv', 'set', 'a', '-']
])('Ctrl+C ends %s while it waits for what is typed', async (...args) => {
  await using server = await startServer()
  await using terminal = Terminal.run(args, environmentOf(server))
  terminal.type('{"half":')
  await terminal.shows('half')
  // What is typed is shown by the terminal, not by the command, which may not be there yet.
  await new Promise((resolve) => setTimeout(resolve, 1_500))
  const startedAt = performance.now()
  terminal.type('\u0003')
  expect(await terminal.ended).toEqual({ code: 130, restored: true })
  expect(performance.now() - startedAt).toBeLessThan(2_000)
  expect(terminal.output).not.toContain('Error')
})

test('every option of publishing arrives', async () => {
  await using server = await startServer()
  const options = {
    namespace: 'lab',
    visibility: 'public',
    priority: '7',
    delay: '0.5',
    'max-attempts': '2',
    'backoff-base': '9',
    'target-worker': 'pi4',
    'required-capability': 'gpu',
    'idempotency-key': 'once'
  }
  const args = ['publish', 'g', '1', ...Object.entries(options).flatMap(([name, value]) => [`--${name}`, value])]
  const first = await jsonOf(args, environmentOf(server))
  expect(first).toMatchObject({ code: 0, value: { id: expect.any(String), status: 'published', namespace: 'lab' } })
  expect((await jsonOf(args, environmentOf(server))).value.id).toBe(first.value.id)
  const detail = (await server.admin(`/admin/intents/${first.value.id}`)).json
  expect(detail).toMatchObject({
    namespace: 'lab',
    visibility: 'public',
    priority: 7,
    max_attempts: 2,
    backoff_base: 9,
    target_worker: 'pi4',
    required_capability: 'gpu'
  })
  expect(detail.run_at - detail.created_at).toBeCloseTo(0.5)
})

test.each([
  [['publish', 'g', '{"x":'], 'is not JSON'],
  [['publish', 'g', 'hello'], 'quotes of its own'],
  [['publish', 'g', '1', '--file', 'f'], 'given twice'],
  [['publish', 'g', '--file', '/no/such/file'], 'ENOENT'],
  [['publish', 'g', '--priority', '1001'], '--priority takes a whole number from 0 to 1000'],
  [['publish', 'g', '--priority', '1.5'], '--priority takes a whole number'],
  [['publish', 'g', '--delay', 'soon'], '--delay takes a number'],
  [['publish', 'g', '--visibility', 'all'], '--visibility is private or public'],
  [['publish'], '<goal> is missing: intent-bus publish <goal> [payload|-].'],
  [['publish', 'g', '1', '2'], 'one argument too many']
])('%j is a mistake, told before anything is published', async (args, sentence) => {
  const { code, stdout, stderr } = await runCli(args, { INTENT_BUS_URL: await deserted(), INTENT_API_KEY: 'k' })
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
  expect(stderr).toContain(sentence)
})

test('waits for the result, and prints nothing else on standard output', async () => {
  await using server = await startServer()
  await using command = new Command(['publish', 'g', '--wait'], environmentOf(server))
  await command.says('Published')
  await settle(server, 'fulfill', `"result":${EXACT}`)
  expect(await command.finished).toMatchObject({ code: 0, stdout: `${EXACT}\n` })
})

test('exits with 1 when the intent dies, and says why', async () => {
  await using server = await startServer()
  await using command = new Command(['publish', 'g', '--max-attempts', '1', '--wait', '--json'], environmentOf(server))
  await command.says('Published')
  await settle(server, 'fail', '"error":"it broke"')
  const { code, stdout, stderr } = await command.finished
  expect(code).toBe(1)
  expect(JSON.parse(stdout)).toMatchObject({ status: 'dead', error: 'it broke', result: null })
  expect(stderr).toContain('it broke')
})

test('exits with 6 when the time is up; the intent goes on', async () => {
  await using server = await startServer()
  const { code, stdout, stderr } = await runCli(['publish', 'g', '--wait', '--timeout', '0.3'], environmentOf(server))
  expect({ code, stdout }).toEqual({ code: 6, stdout: '' })
  const [, id] = /Published ([0-9a-f]{32})/.exec(stderr)!
  expect((await server.get(`/status/${id}`)).json.status).toBe('open')
})

test('where the result cannot be had, --json prints what was published', async () => {
  const id = '1'.repeat(32)
  await using bus = await Stranger.listen((req, res) => {
    if (req.method === 'POST') res.writeHead(201).end(`{"id":"${id}","status":"published","namespace":"default"}`)
    else res.writeHead(403).end('{"error":{"code":"forbidden","message":"Not yours."}}')
  })
  const env = { INTENT_BUS_URL: bus.url, INTENT_API_KEY: 'k' }
  const failed = await jsonOf(['publish', 'g', '--wait'], env)
  expect(failed).toMatchObject({ code: 4, value: { id, status: 'published', namespace: 'default' } })
  expect(failed.stderr).toContain('Not yours.')
  expect(await runCli(['publish', 'g', '--wait'], env)).toMatchObject({ code: 4, stdout: '', stderr: expect.stringContaining(id) })
  await using server = await startServer()
  await using command = new Command(['publish', 'g', '--wait', '--json'], environmentOf(server))
  await command.says('Published')
  const { code, stdout } = await command.kill('SIGINT')
  expect(code).toBe(130)
  const published = JSON.parse(stdout) as { id: string }
  expect((await server.get(`/status/${published.id}`)).json.status).toBe('open')
})

test('Ctrl+C ends the waiting with 130, as SIGQUIT does, and SIGTERM with 143', async () => {
  await using server = await startServer()
  for (const [signal, code] of [['SIGINT', 130], ['SIGQUIT', 130], ['SIGTERM', 143]] as const) {
    await using command = new Command(['publish', 'g', '--wait'], environmentOf(server))
    await command.says('Published')
    const finished = await command.kill(signal)
    expect(finished).toMatchObject({ code, stdout: '' })
    expect(finished.stderr).toMatch(/^Published [0-9a-f]{32}[.]\n$/)
  }
})

test('status and result tell what is, for people and for machines', async () => {
  await using server = await startServer()
  const env = environmentOf(server)
  const id = await server.publish({ goal: 'resize' })
  expect((await jsonOf(['status', id], env)).value).toMatchObject({ id, goal: 'resize', status: 'open', claimAttempts: 0 })
  const early = await runCli(['result', id], env)
  expect(early).toMatchObject({ code: 5, stdout: '' })
  expect(early.stderr).toContain('there is no result yet')
  await settle(server, 'fulfill', `"result":${EXACT}`)
  expect((await runCli(['result', id], env)).stdout).toBe(`${EXACT}\n`)
  const whole = await runCli(['result', id, '--json'], env)
  expect(whole.stdout).toContain(`"result":${EXACT}`)
  expect(JSON.parse(whole.stdout)).toMatchObject({ id, status: 'fulfilled', resultType: 'json' })
  const status = await runCli(['status', id], env)
  expect(status.stdout).toMatch(/^status +fulfilled\nid +[0-9a-f]{32}\ngoal +resize\n/)
})

test('a text is printed as text', async () => {
  await using server = await startServer()
  const id = await server.publish()
  await settle(server, 'fulfill', '"result":"two\\nlines","result_type":"text"')
  expect((await runCli(['result', id], environmentOf(server))).stdout).toBe('two\nlines\n')
})

test('waiting for the result of an intent that is there ends when it is settled', async () => {
  await using server = await startServer()
  const id = await server.publish()
  await using command = new Command(['result', id, '--wait'], environmentOf(server))
  await new Promise((resolve) => setTimeout(resolve, 500))
  expect(command.stdout).toBe('')
  await settle(server, 'fulfill', '"result":[1,2]')
  expect(await command.finished).toMatchObject({ code: 0, stdout: '[1,2]\n' })
})

test('what is not there exits with 5, a wrong key with 4, no bus with 3', async () => {
  await using server = await startServer()
  const env = environmentOf(server)
  const nobody = '0'.repeat(32)
  for (const name of ['status', 'result']) {
    expect((await runCli([name, nobody], env)).code).toBe(5)
    expect((await runCli([name, nobody], { ...env, INTENT_API_KEY: 'wrong' })).code).toBe(4)
    const { code, stderr } = await runCli([name, nobody], { ...env, INTENT_API_KEY: undefined })
    expect(code).toBe(4)
    expect(stderr).toContain('There is no key.')
  }
  const { code, stderr } = await runCli(['set-nothing-up', 'x'], env)
  expect(code).toBe(2)
  expect(stderr).toContain('There is no command')
  expect((await runCli(['status', nobody], { ...env, INTENT_BUS_URL: await deserted() })).code).toBe(3)
})

test('keeps values, and gives them back to the digit', async () => {
  await using server = await startServer()
  const env = environmentOf(server)
  expect(await runCli(['kv', 'set', 'a', '12345678901234567890', '--ttl', '60'], env)).toMatchObject({ code: 0, stdout: '' })
  expect((await runCli(['kv', 'get', 'a'], env)).stdout).toBe('12345678901234567890\n')
  expect((await jsonOf(['kv', 'set', 'b', '-', '--ttl', '60'], env, '"two words"')).value).toEqual({ key: 'b', ttl: 60 })
  expect((await runCli(['kv', 'get', 'b'], env)).stdout).toBe('two words\n')
  expect((await runCli(['kv', 'get', 'b', '--json'], env)).stdout).toBe('"two words"\n')
  expect(await runCli(['kv', 'get', 'c'], env)).toMatchObject({ code: 5, stdout: '' })
  await runCli(['kv', 'set', 'c', 'null'], env)
  expect(await runCli(['kv', 'get', 'c'], env)).toEqual({ code: 0, stdout: 'null\n', stderr: '' })
  expect((await runCli(['kv', 'set', 'd'], env)).code).toBe(2)
  expect((await runCli(['kv', 'set', 'd', '1', '--ttl', '0'], env)).code).toBe(2)
})
