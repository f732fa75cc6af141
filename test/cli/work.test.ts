import { chmodSync, existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { temporaryFolder } from '../support/folders.ts'
import { MAIN_KEY, TestServer } from '../support/test-server.ts'
import { Command, environmentOf, runCli } from './cli.ts'
import { Terminal } from './terminal.ts'

/** A program that node runs from its source. */
function node(source: string): string[] {
  return [process.execPath, '-e', source]
}

const ECHO = node('process.stdin.pipe(process.stdout)')

interface Line {
  readonly event: string
  readonly id: string
  readonly error?: string
  readonly attempt: number
}

/** Works on a goal until an intent was settled in some way, and gives all lines. */
async function workOn(
  server: TestServer,
  goal: string,
  program: readonly string[],
  options: readonly string[] = [],
  env: Readonly<Record<string, string>> = {}
): Promise<Line[]> {
  await using command = new Command(['work', goal, '--json', ...options, '--', ...program], { ...environmentOf(server), ...env })
  // Only the line about the end tells how long it took.
  await command.prints('"seconds"')
  await command.kill('SIGTERM')
  return command.stdout.trim().split('\n').map((line) => JSON.parse(line) as Line)
}

/** Publishes, has a program work on it, and gives what the publisher reads. */
async function resultBy(server: TestServer, program: readonly string[], payload: unknown = {}, options: readonly string[] = []) {
  const id = await server.publish({ goal: 'g', payload, max_attempts: 1 })
  await workOn(server, 'g', program, options)
  const { text, json } = await server.get(`/result/${id}`)
  return { text, ...json } as { text: string; status: string; result: unknown; result_type: string; error?: string }
}

const HOSTILE = `$(touch pwned); \`touch pwned\` && touch pwned | "';\n\t\\ * ? ~ !! %PATH% ${'\u001b'}[2J -- --key ünï 🎉`

test('the payload reaches the program untouched, whatever a shell would make of it', async () => {
  await using server = await TestServer.start({ isClockReal: true })
  const { status, result } = await resultBy(server, ECHO, { text: HOSTILE, list: [HOSTILE] })
  expect({ status, result }).toEqual({ status: 'fulfilled', result: { text: HOSTILE, list: [HOSTILE] } })
  expect(existsSync('pwned')).toBe(false)
})

test('numbers of payload and result keep every digit', async () => {
  await using server = await TestServer.start({ isClockReal: true })
  const payload = '{"big":12345678901234567890,"price":1.10}'
  const answer = await server.post('/intent', `{"goal":"g","payload":${payload}}`)
  await workOn(server, 'g', ECHO)
  expect((await server.get(`/result/${answer.json.id}`)).text).toContain(`"result":${payload}`)
})

test('arguments go to the program as they are; goal, id, namespace and attempt are all that its environment has of the bus', async () => {
  await using server = await TestServer.start({ isClockReal: true })
  const args = ['a b', '$HOME', '', '*', '--json', '-h']
  const source = `
    const variables = Object.entries(process.env).filter(([name]) => /^(INTENT|BUS)_|^DASHBOARD_PASSWORD$/i.test(name))
    console.log(JSON.stringify({ args: process.argv.slice(1), variables: Object.fromEntries(variables) }))`
  const goal = '$(touch pwned)'
  const id = await server.publish({ goal, namespace: 'lab' })
  const secrets = { intent_api_key: 'k', Bus_Secret: 'k', DASHBOARD_PASSWORD: 'p' }
  await workOn(server, goal, [process.execPath, '-e', source, '--', ...args], ['--namespace', 'lab'], secrets)
  expect((await server.get(`/result/${id}`)).json.result).toEqual({
    args,
    variables: { INTENT_ID: id, INTENT_GOAL: goal, INTENT_NAMESPACE: 'lab', INTENT_ATTEMPT: '1' }
  })
  expect(existsSync('pwned')).toBe(false)
})

test('what is no JSON is a text; nothing is no result', async () => {
  await using server = await TestServer.start({ isClockReal: true })
  expect(await resultBy(server, node('console.log("two\\nlines\\n")'))).toMatchObject({ result: 'two\nlines', result_type: 'text' })
  expect(await resultBy(server, node(''))).toMatchObject({ status: 'fulfilled', result: null })
  expect(await resultBy(server, node('console.log("\\"json\\"")'))).toMatchObject({ result: 'json', result_type: 'json' })
})

test('another exit code than 0 fails the intent with the last line of standard error', async () => {
  await using server = await TestServer.start({ isClockReal: true })
  const loud = node(`
    console.log("{}")
    console.error("first")
    console.error("\\u001b[31mno space left\\u001b[0m\\n\\n")
    process.exitCode = 3`)
  expect(await resultBy(server, loud)).toMatchObject({ status: 'dead', error: 'no space left', result: null })
  expect(await resultBy(server, node('process.exitCode = 3'))).toMatchObject({ error: 'The program exited with 3.' })
  expect(await resultBy(server, node('process.kill(process.pid, "SIGKILL")'))).toMatchObject({ error: 'The program was ended by SIGKILL.' })
})

test('more output than is allowed fails the intent, and ends a program that would never stop', async () => {
  await using server = await TestServer.start({ isClockReal: true })
  expect((await resultBy(server, ['yes'])).error).toContain('more than 7168 bytes')
  expect((await resultBy(server, node('console.log("x".repeat(20))'), {}, ['--max-output', '10'])).error).toContain('more than 10 bytes')
  const more = ['--max-output', '9000']
  expect((await resultBy(server, node('console.log("x".repeat(8000))'), {}, more)).error).toContain('the bus takes 7168')
  const spaced = node('console.log("[" + " ".repeat(8000) + "1]")')
  expect(await resultBy(server, spaced, {}, more)).toMatchObject({ status: 'fulfilled', result: [1] })
})

test('a program that takes longer than its time is ended', async () => {
  await using server = await TestServer.start({ isClockReal: true })
  const { error } = await resultBy(server, node('setInterval(() => {}, 1000)'), {}, ['--timeout', '1'])
  expect(error).toBe('The program took longer than 1 s.')
})

test('as much time as a timer can have is as good as any, and more is a mistake', async () => {
  await using server = await TestServer.start({ isClockReal: true })
  expect(await resultBy(server, ['sleep', '0.3'], {}, ['--timeout', '2147483'])).toMatchObject({ status: 'fulfilled' })
  const { code, stderr } = await runCli(['work', 'g', '--timeout', '2147484', '--', 'true'], environmentOf(server))
  expect(code).toBe(2)
  expect(stderr).toContain('--timeout takes a number of seconds from 1 to 2147483')
})

test('a program that does not read its payload, or leaves another behind, is done all the same', async () => {
  await using server = await TestServer.start({ isClockReal: true })
  const payload = 'x'.repeat(7_000)
  expect(await resultBy(server, node('process.stdin.destroy(); console.log(1)'), payload)).toMatchObject({ result: 1 })
  const daemon = 'require("child_process").spawn("sleep", ["3"], { stdio: "inherit", detached: true }).unref(); console.log(2)'
  expect(await resultBy(server, node(daemon))).toMatchObject({ result: 2 })
})

test('works on several goals and several intents at a time', async () => {
  await using server = await TestServer.start({ isClockReal: true })
  using folder = temporaryFolder()
  // Each waits for the other one: only together they come to an end.
  const source = `const fs = require('fs'), { join } = require('path'), me = process.env.INTENT_GOAL, other = me === 'a' ? 'b' : 'a'
    fs.writeFileSync(join(${JSON.stringify(folder.path)}, me), '')
    setInterval(() => { if (fs.existsSync(join(${JSON.stringify(folder.path)}, other))) process.exit() }, 20)`
  const ids = [await server.publish({ goal: 'a' }), await server.publish({ goal: 'b' })]
  await using command = new Command(['work', 'a', 'b', '--concurrency', '2', '--', ...node(source)], environmentOf(server))
  for (const id of ids) {
    while ((await server.get(`/status/${id}`)).json.status !== 'fulfilled') await new Promise((resolve) => setTimeout(resolve, 50))
  }
  expect(await command.kill('SIGINT')).toMatchObject({ code: 130, stderr: '' })
})

test('tells people what it does, and what programs say', async () => {
  await using server = await TestServer.start({ isClockReal: true })
  const program = node('console.error("half \\u001b[1mdone")')
  const options = ['--worker-id', 'pi4', '--capability', 'gpu', '--capability', 'cpu']
  await using command = new Command(['work', 'g', ...options, '--', ...program], environmentOf(server))
  const id = await server.publish({ goal: 'g', target_worker: 'pi4', required_capability: 'cpu' })
  await command.prints('fulfilled')
  await command.kill('SIGINT')
  const [claimed, fulfilled, ...rest] = command.stdout.replaceAll(id, 'ID').split('\n')
  expect(claimed).toMatch(/^\d\d:\d\d:\d\d {2}claimed {4}ID {2}g$/)
  expect(fulfilled).toMatch(/^\d\d:\d\d:\d\d {2}fulfilled {2}ID {2}g {2}[\d.]+ m?s$/)
  expect(rest).toEqual([''])
  expect(command.stderr).toBe(`[${id.slice(-8)}] half \\x1b[1mdone\n`)
})

test('options behind the program are the program’s', async () => {
  await using server = await TestServer.start({ isClockReal: true })
  const id = await server.publish({ goal: 'g' })
  await using command = new Command(['work', 'g', '--', 'echo', '--json', '--key', '--help'], environmentOf(server))
  await command.prints('fulfilled  ')
  await command.kill('SIGINT')
  expect((await server.get(`/result/${id}`)).json.result).toBe('--json --key --help')
})

test('no program, no goal, or a program that is not there: a mistake, and no intent is claimed', async () => {
  await using server = await TestServer.start({ isClockReal: true })
  using folder = temporaryFolder()
  const env = environmentOf(server)
  const id = await server.publish({ goal: 'g' })
  const wrong = [['g'], ['--', 'true'], ['g', '--', 'no-such-program'], ['g', '--', folder.path], ['g', '--concurrency', '0', '--', 'true']]
  for (const args of wrong) expect({ args, code: (await runCli(['work', ...args], env)).code }).toEqual({ args, code: 2 })
  expect((await server.get(`/status/${id}`)).json.claim_attempts).toBe(0)
})

test('a program that is gone stops the worker: intents are not to blame', async () => {
  await using server = await TestServer.start({ isClockReal: true })
  using folder = temporaryFolder()
  const program = join(folder.path, 'program')
  writeFileSync(program, '#!/bin/sh\nrm "$0"\n')
  chmodSync(program, 0o700)
  await Promise.all([1, 2, 3, 4].map(() => server.publish({ goal: 'g', max_attempts: 1 })))
  const { code, stderr } = await runCli(['work', 'g', '--', program], environmentOf(server))
  expect(code).toBe(1)
  expect(stderr).toContain('cannot be started')
  const { open, dead, fulfilled } = (await server.admin('/admin/control/overview.get', {})).json.value.counts
  expect({ open, dead, fulfilled }).toEqual({ open: 2, dead: 1, fulfilled: 1 })
})

test('a wrong key ends it with 4', async () => {
  await using server = await TestServer.start({ isClockReal: true })
  expect((await runCli(['work', 'g', '--', 'true'], { ...environmentOf(server), INTENT_API_KEY: `${MAIN_KEY}x` })).code).toBe(4)
})

test('on a terminal it says what it asks for, and that it has stopped', async () => {
  await using server = await TestServer.start({ isClockReal: true })
  await using terminal = Terminal.run(['work', 'g', 'h', '--', 'true'], environmentOf(server))
  await terminal.shows(`Asking ${server.url} for g, h. Ctrl+C stops.`)
  terminal.type('\u0003')
  expect(await terminal.ended).toMatchObject({ code: 130 })
  expect(terminal.output).toContain('Stopped.')
})
