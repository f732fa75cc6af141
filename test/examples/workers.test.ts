import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, test } from 'vitest'
import { BusProcess } from '../support/bus-process.ts'
import { temporaryFolder } from '../support/folders.ts'
import { Client } from './client.ts'
import { processes, runsWith } from './processes.ts'
import { clientPackage, LANGUAGES, LEAVES_TRACES, Starter } from './starter.ts'

const PATIENT = { timeout: 20_000, interval: 50 }

const folder = temporaryFolder()
let bus: BusProcess
let client: Client

beforeAll(async () => {
  clientPackage()
  bus = await BusProcess.start(folder.path)
  client = new Client(bus)
})
afterAll(async () => {
  await bus[Symbol.asyncDispose]()
  folder[Symbol.dispose]()
})

/** What shells, Python and JavaScript read as something else than itself. */
const HOSTILE: readonly (readonly [what: string, payload: string])[] = [
  ['commands', '{"name":"$(touch x) `touch x` ; touch x | touch x && touch x > x"}'],
  ['quotes', `{"a":"it's \\"quoted\\" ''' \\"\\"\\" \\\\","b":"\${IFS}$HOME %s %n !!"}`],
  ['lines', '{"a":"one\\ntwo\\r\\nthree\\ttab\\u0000nul\\u001b[31m"}'],
  ['options', '["--config","-o","x","@/etc/passwd","-","--"]'],
  ['a text', '"--help"'],
  ['no object', 'null'],
  ['odd names', '{"":1,"__proto__":{"x":1},"a.b":[[],{}],"é😀\\u2028":"😀"}'],
  ['its size', JSON.stringify({ text: 'x'.repeat(7_000) })],
  ['letters of several bytes', JSON.stringify({ text: 'é'.repeat(3_500) })]
]

// Side by side: most of the time they wait.
describe.concurrent.each(LANGUAGES)('the worker in %s', (language) => {
  test('hears a signal that comes while it prepares a request', async ({ expect }) => {
    using home = temporaryFolder()
    // What bash escapes with takes its time.
    const bin = join(home.path, 'bin')
    mkdirSync(bin)
    writeFileSync(join(bin, 'sed'), '#!/bin/sh\nsleep 0.2\nPATH="${PATH#*:}" exec sed "$@"\n', { mode: 0o755 })
    const env = { PATH: `${bin}:${process.env.PATH}` }
    await using worker = new Starter(language, { url: bus.url, key: bus.mainKey, goal: `early.${language}`, home: home.path, env })
    await expect.poll(() => worker.output, PATIENT).toContain('asking')
    await new Promise((resolve) => setTimeout(resolve, 300))
    const before = performance.now()
    expect((await worker.kill('SIGTERM')).code).toBe(0)
    expect(performance.now() - before).toBeLessThan(5_000)
    expect(worker.output).not.toContain('unexpected EOF')
  })

  test('works on what payloads name, whatever else stands in them', async ({ expect }) => {
    const goal = `work.${language}`
    await using worker = new Starter(language, { url: bus.url, key: bus.mainKey, goal })
    const ids = await Promise.all(HOSTILE.map(([, payload]) => client.publish(goal, payload)))
    const waited = await client.publish(goal, '{"action":"wait","seconds":0.5}')
    const disk = await client.publish(goal, '{"action":"disk"}')
    await expect.poll(() => client.status(disk), PATIENT).toBe('fulfilled')
    expect((await client.result(waited)).result).toEqual({ waited: 0.5 })
    for (const [i, [what, payload]] of HOSTILE.entries()) {
      const { status, result } = await client.result(ids[i]!)
      expect([what, status, result]).toEqual([what, 'fulfilled', JSON.parse(payload)])
    }
    expect(readdirSync(worker.home)).not.toContain('x')
    expect((await worker.kill('SIGTERM')).code).toBe(0)
    expect(worker.output).not.toMatch(/Traceback|Error|line \d+:/)
  })

  test('fails what is not among its actions, and what an action refuses', async ({ expect }) => {
    const goal = `fail.${language}`
    const once = { max_attempts: 1 }
    await using _ = new Starter(language, { url: bus.url, key: bus.mainKey, goal })
    const unknown = ['"touch x"', '"echo disk"', '" echo"', '["echo"]', '"action_echo"', '"__proto__"', '"toString"', '{}', 'null', '""']
    const ids = await Promise.all(unknown.map((action) => client.publish(goal, `{"action":${action}}`, once)))
    const refused = await client.publish(goal, '{"action":"wait","seconds":"1; touch x"}', once)
    await expect.poll(() => client.status(refused), PATIENT).toBe('dead')
    for (const [i, id] of ids.entries()) {
      const { status, error } = await client.result(id)
      expect([unknown[i], status, error]).toEqual([unknown[i], 'dead', expect.stringMatching(/^Unknown action. This worker knows: echo,? disk,? wait\.$/)])
    }
    expect((await client.result(refused)).error).toBe('seconds must be a number from 0 to 3600.')
  })

  test('survives payloads that its language cannot read', async ({ expect }) => {
    const goal = `unreadable.${language}`
    const payloads = ['['.repeat(3_500) + ']'.repeat(3_500), '9'.repeat(7_000), '{"claim_token":"x","id":"y","a":1e999999}']
    const ids = await Promise.all(payloads.map((payload) => client.publish(goal, payload, { max_attempts: 1 })))
    await using _ = new Starter(language, { url: bus.url, key: bus.mainKey, goal })
    const last = await client.publish(goal, '{"still":"there"}')
    await expect.poll(() => client.status(last), PATIENT).toBe('fulfilled')
    for (const id of ids) expect(await client.status(id)).toMatch(/fulfilled|dead/)
  })

  test('shows its key to nobody, and nothing of it to actions', async ({ expect }) => {
    const goal = `secret.${language}`
    const seen = { key: 0, worker: 0, action: '' }
    await using worker = new Starter(language, { url: bus.url, key: bus.mainKey, goal, changes: language === 'bash' ? [['SIGN=no', 'SIGN=yes']] : [] })
    const waiting = await client.publish(goal, '{"action":"wait","seconds":3}')
    await expect.poll(() => client.status(waiting), PATIENT).toBe('claimed')
    let last = ''
    for (let i = 0; i < 10; i++) last = await client.publish(goal, '{}')
    while ((await client.status(last)) !== 'fulfilled') {
      for (const { command, environment } of processes()) {
        if (command.includes(bus.mainKey)) seen.key++
        if (command.includes(worker.home) || command.startsWith('curl\0')) seen.worker++
        if (command.startsWith('sleep\x003\0')) seen.action = environment
      }
    }
    expect(seen.key).toBe(0)
    expect(seen.worker).toBeGreaterThan(0)
    if (language === 'bash') expect(seen.action).toContain(`HOME=${worker.home}`)
    expect(seen.action).not.toContain(bus.mainKey)
    expect(worker.output).not.toContain(bus.mainKey)
  })

  test('says what to do about a wrong key, a missing one and none at all', async ({ expect }) => {
    for (const [key, said] of [
      ['tk_wrong', /the interface/i],
      ['', /INTENT_API_KEY[^]*paired[^]*: eval "\$\(intent-bus buses env\)"/]
    ] as const) {
      await using worker = new Starter(language, { url: bus.url, key })
      expect((await worker.exited).code).not.toBe(0)
      // What it said last may arrive after its end.
      await expect.poll(() => worker.output, PATIENT).toMatch(said)
    }
  })

  test('finishes what it is at when it is told to stop', async ({ expect }) => {
    const goal = `stop.${language}`
    await using worker = new Starter(language, { url: bus.url, key: bus.mainKey, goal })
    const running = await client.publish(goal, '{"action":"wait","seconds":2}')
    await expect.poll(() => client.status(running), PATIENT).toBe('claimed')
    const later = await client.publish(goal, '{}')
    expect((await worker.kill('SIGTERM')).code).toBe(0)
    expect(await client.status(running)).toBe('fulfilled')
    expect(await client.status(later)).toBe('open')
  })

  test('hands back what would take too long, and ends what it started', async ({ expect }) => {
    const goal = `grace.${language}`
    const [was, becomes] = language === 'bash' ? ['STOP_SECONDS=10', 'STOP_SECONDS=1'] : ['STOP_SECONDS = 10', 'STOP_SECONDS = 1']
    await using worker = new Starter(language, { url: bus.url, key: bus.mainKey, goal, changes: [[was, becomes]] })
    const seconds = 1_234 + LANGUAGES.indexOf(language)
    const running = await client.publish(goal, `{"action":"wait","seconds":${seconds}}`)
    await expect.poll(() => client.status(running), PATIENT).toBe('claimed')
    const before = performance.now()
    expect((await worker.kill('SIGTERM')).code).toBe(0)
    expect(performance.now() - before).toBeLessThan(8_000)
    expect(await client.result(running)).toMatchObject({ status: 'open', error: expect.stringMatching(/stopped/) })
    await expect.poll(() => runsWith(`sleep\0${seconds}\0`), PATIENT).toBe(false)
  })

  test('stops at once while it waits', async ({ expect }) => {
    await using worker = new Starter(language, { url: bus.url, key: bus.mainKey, goal: `idle.${language}` })
    await expect.poll(() => worker.output, PATIENT).toContain('asking')
    await new Promise((resolve) => setTimeout(resolve, 500))
    const before = performance.now()
    expect((await worker.kill('SIGINT')).code).toBe(0)
    expect(performance.now() - before).toBeLessThan(3_000)
  })

  test('asks for exactly its goal and namespace, and signs where the bus demands it', async ({ expect }) => {
    using data = temporaryFolder()
    const secret = `${'a longer key than SHA-256 has bytes in a block, '.repeat(2)}"\\$'\``
    await using strict = await BusProcess.start(data.path, { BUS_REQUIRE_SIGNATURES: 'true', BUS_SECRET: secret })
    const publisher = new Client(strict, secret)
    const goal = `it's "a" $goal (100%)!* \\ é\n\u202e--x`
    const changes = language === 'bash' ? ([['SIGN=no', 'SIGN=yes']] as const) : []
    await using _ = new Starter(language, { url: strict.url, key: secret, goal, namespace: 'lab.1', changes })
    const elsewhere = await publisher.publish(goal, '1')
    const id = await publisher.publish(goal, '{"n":1}', { namespace: 'lab.1' })
    await expect.poll(() => publisher.status(id), PATIENT).toBe('fulfilled')
    expect(await publisher.status(elsewhere)).toBe('open')
  })

  test('does its work again when an operator retries it', async ({ expect }) => {
    const goal = `again.${language}`
    await using worker = new Starter(language, { url: bus.url, key: bus.mainKey, goal, changes: [LEAVES_TRACES[language]] })
    const id = await client.publish(goal, '{"n":1}')
    await expect.poll(() => client.status(id), PATIENT).toBe('fulfilled')
    expect(worker.traces).toBe(1)
    await client.retry(id)
    await expect.poll(() => worker.traces, PATIENT).toBe(2)
    await expect.poll(() => client.status(id), PATIENT).toBe('fulfilled')
  })
})
