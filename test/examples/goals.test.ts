import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { BusProcess } from '../support/bus-process.ts'
import { temporaryFolder } from '../support/folders.ts'
import { Client } from './client.ts'
import { exampleText, Starter } from './starter.ts'

const PATIENT = { timeout: 20_000, interval: 50 }

const folder = temporaryFolder()
let bus: BusProcess
let client: Client

beforeAll(async () => {
  bus = await BusProcess.start(folder.path)
  client = new Client(bus)
})
afterAll(async () => {
  await bus[Symbol.asyncDispose]()
  folder[Symbol.dispose]()
})

test('the starters for Python have the same worker in them, to the letter', () => {
  const workers = ['worker.py', 'log_event.py', 'send_notification.py'].map((file) => exampleText(file).split('\n# ---- The worker;'))
  for (const parts of workers) expect(parts).toHaveLength(2)
  expect(new Set(workers.map(([, worker]) => worker)).size).toBe(1)
})

describe('log_event.py', () => {
  const start = (home: string) => {
    return new Starter('python', { url: bus.url, key: bus.mainKey, goal: 'log_event', file: 'log_event.py', home })
  }
  const lines = (home: string) => readFileSync(join(home, 'intent-bus-events.jsonl'), 'utf8').split('\n').slice(0, -1)

  test('logs any payload as one line, each intent once, and after a line that was cut off', async () => {
    using home = temporaryFolder()
    writeFileSync(join(home.path, 'intent-bus-events.jsonl'), '{"id":"cut o')
    const payloads = ['{"action":"disk","a":"one\\ntwo\\u2028"}', '"; rm -rf ~"', 'null', '[1,2.5,{"é":"\\ud800"}]']
    await using _ = start(home.path)
    const ids: string[] = []
    for (const payload of payloads) {
      const id = await client.publish('log_event', payload)
      ids.push(id)
      await expect.poll(() => client.status(id), PATIENT).toBe('fulfilled')
    }
    await client.retry(ids[0]!)
    await expect.poll(async () => (await client.result(ids[0]!)).result, PATIENT).toEqual({ logged: false, reason: 'It stands in the log.' })
    const [cut, ...logged] = lines(home.path)
    expect(cut).toBe('{"id":"cut o')
    expect(logged.map((line) => JSON.parse(line) as unknown)).toEqual(
      ids.map((id, i) => ({ id, at: expect.stringMatching(/^20.*\+00:00$/), goal: 'log_event', payload: JSON.parse(payloads[i]!) as unknown }))
    )
  })
})

describe('send_notification.py', () => {
  /** A program that is the only one there, and writes down its words. `code`: what it ends with. */
  function standIn(home: string, name: string, code = 0): Record<string, string> {
    const bin = join(home, 'bin')
    mkdirSync(bin, { recursive: true })
    writeFileSync(join(bin, name), `#!/bin/sh\nprintf '%s\\0' "$@" > "$HOME/shown"\necho "no display" >&2\nexit ${code}\n`)
    chmodSync(join(bin, name), 0o755)
    return { PATH: bin }
  }

  async function shown(name: string, payload: string, code = 0) {
    using home = temporaryFolder()
    const goal = `send_notification.${name}.${code}`
    const given = { url: bus.url, key: bus.mainKey, goal, file: 'send_notification.py', home: home.path }
    await using _ = new Starter('python', { ...given, env: standIn(home.path, name, code) })
    const id = await client.publish(goal, payload, { max_attempts: 1 })
    await expect.poll(() => client.status(id), PATIENT).toMatch(/fulfilled|dead/)
    const { result, error } = await client.result(id)
    const words = error === undefined || code !== 0 ? readFileSync(join(home.path, 'shown'), 'utf8').split('\0').slice(0, -1) : []
    return { result, error, words }
  }

  const MESSAGE = '--help $(touch x) `id` <b>"it\'s"</b>\n\u001b[31m\u202etwo\u0000'
  const CLEAN = '--help $(touch x) `id` <b>"it\'s"</b> [31mtwo'

  test.each([
    ['termux-notification', ['--title', 'Intent Bus', '--content', CLEAN]],
    ['notify-send', ['--app-name', 'Intent Bus', '--', CLEAN]],
    ['osascript', [...Array(3).fill(['-e', expect.any(String)]).flat(), 'Intent Bus', CLEAN]]
  ])('shows a message by %s, as a word of its own', async (name, words) => {
    const outcome = await shown(name, JSON.stringify({ message: MESSAGE }))
    expect(outcome).toEqual({ result: { shown: CLEAN }, error: undefined, words })
  })

  test('cuts a message that is too long, and refuses one that is none', async () => {
    expect((await shown('notify-send', JSON.stringify({ message: 'é'.repeat(300) }))).words.at(-1)).toBe('é'.repeat(200))
    for (const payload of ['{"message":7}', '{"message":"\\n\\u0007"}', '"text"', '{}']) {
      expect((await shown('notify-send', payload)).error).toBe('The payload must be like {"message": "text"}.')
    }
  })

  test('fails where the message cannot be shown', async () => {
    expect((await shown('notify-send', '{"message":"x"}', 3)).error).toBe('notify-send: no display')
  })
})
