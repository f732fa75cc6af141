import { createHash } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { MAIN, type TestBus } from '../support/test-bus.ts'
import { exportOf, linesOf, Mover, outcomeOf, PASSPHRASE, realBus, withLines } from './moving.ts'

let from: TestBus
let to: TestBus
let file: string
let lines: string[]

beforeAll(async () => {
  from = realBus()
  to = realBus()
  for (let i = 0; i < 3; i++) await from.publish({ goal: `goal ${i}`, payload: '{"n":1.10}' }, MAIN)
  await from.bus.createKey('somebody')
  file = await exportOf(from, { secrets: { clear: { mainKey: 'bus_main', password: null }, passphrase: PASSPHRASE } })
  lines = linesOf(file)
})

afterAll(async () => {
  await from[Symbol.asyncDispose]()
  await to[Symbol.asyncDispose]()
})

async function refusal(content: string | Buffer): Promise<string> {
  using mover = new Mover(to)
  const { state, problem } = await mover.check(content)
  expect(state).toBe('refused')
  expect(to.rows('SELECT 1 FROM intents')).toHaveLength(0)
  return problem!
}

/** The export with a changed line of the first intent. */
function withIntent(change: (line: string) => string): string {
  const i = lines.findIndex((line) => line.startsWith('{"type":"intent"'))
  return withLines(lines.map((line, at) => (at === i ? change(line) : line)))
}

/** In which line that intent stands. */
function intentLine(): number {
  return lines.findIndex((line) => line.startsWith('{"type":"intent"')) + 1
}

test('a file that was cut off anywhere is refused', async () => {
  const words = 'The file ends too early: it was cut off on its way here. Copy it again, or export it anew.'
  for (const length of [40, Math.floor(file.length / 2), file.length - 90, file.length - 20, file.length - 2]) {
    expect(await refusal(file.slice(0, length))).toBe(words)
  }
  expect(await refusal(lines.map((line) => `${line}\n`).join(''))).toBe(words)
  const inCharacter = Buffer.from(withIntent((line) => line.replace('goal 0', 'goal é')))
  expect(await refusal(inCharacter.subarray(0, inCharacter.indexOf(0xc3) + 1))).toBe(words)
  expect(await refusal(file.slice(0, 1))).toContain('no export')
  expect(await refusal('')).toBe('The file is empty.')
})

test('a file that was changed is refused, whatever was changed', async () => {
  expect(await refusal(file.replace('goal 1', 'goal 7'))).toContain('not as it was written')
  expect(await refusal(file.replace('1.10', '1.11'))).toContain('not as it was written')
  const without = file.split('\n').filter((line) => !line.includes('goal 1')).join('\n')
  expect(await refusal(without)).toContain('missing or were added')
  expect(await refusal(`${file}{"type":"key"}\n`)).toContain('more behind the end')
  const bytes = Buffer.from(file)
  bytes[bytes.indexOf('goal 2')] = 0xff
  expect(await refusal(bytes)).toContain('not text in UTF-8')
})

test.each<[string, (line: string) => string, string]>([
  ['no JSON', (line) => line.slice(1), 'is not JSON'],
  ['a list', () => '[]', 'is no JSON object'],
  ['no type', () => '{}', 'there is no such kind of line'],
  ['an unknown type', (line) => line.replace('"intent"', '"__proto__"'), 'there is no such kind of line'],
  ['a goal that is too long', (line) => line.replace('goal 0', 'g'.repeat(257)), 'goal: must have 1 to 256 characters'],
  ['a priority as text', (line) => line.replace('"priority":100', '"priority":"100"'), 'priority: '],
  ['a time that is none', (line) => line.replace(/"run_at":[\d.]+/, '"run_at":1e300'), 'run_at: '],
  ['an id that is none', (line) => line.replace(/"id":"[0-9a-f]+"/, '"id":"ffffffffffffffffffffffffffffffff"'), 'id: is not the id of an intent'],
  ['a status that is none', (line) => line.replace('"status":"open"', '"status":"undead"'), 'status: '],
  ['a finished intent without an end', (line) => line.replace('"status":"open"', '"status":"dead"'), 'finished_at: does not go with the status'],
  ['no payload', (line) => line.replace('"payload"', '"load"'), 'payload: is missing'],
  ['a payload that is too large', (line) => line.replace('{"n":1.10}', `"${'x'.repeat(9_000)}"`), 'payload: has more than 8192 bytes'],
  ['a namespace of more', (line) => line.replace('"namespace":"default"', '"namespace":"a\\nb"'), 'namespace: '],
  ['half a character', (line) => line.replace('goal 0', 'goal \\ud800'), 'goal: has half a character'],
  ['a history of something else', (line) => line.replace('"history":[]', '"history":[{"at":1,"event":"exploded"}]'), 'history.0'],
  ['a publisher that is no key', (line) => line.replace('"publisher":"main"', '"publisher":"tk_secret"'), 'publisher: ']
])('%s is refused with its line', async (_what, change, reason) => {
  const problem = await refusal(withIntent(change))
  expect(problem).toContain(`Line ${intentLine()}: `)
  expect(problem).toContain(reason)
})

test('a line without end, and JSON without bottom, are refused in bounded memory', async () => {
  expect(await refusal(`${lines[0]}\n${'x'.repeat(30_000_000)}`)).toContain('longer than')
  expect(await refusal(withIntent((line) => line.replace('{"n":1.10}', '['.repeat(900_000) + ']'.repeat(900_000))))).toContain('payload: has more than')
  expect(await refusal(withIntent(() => '['.repeat(1_000_000)))).toContain('is not JSON')
})

test('settings without bottom mean nothing, and hold nobody up', async () => {
  await using bus = realBus()
  using mover = new Mover(bus)
  const at = lines.findIndex((line) => line.startsWith('{"type":"settings"'))
  const withSettings = (values: string): string => withLines(lines.map((line, i) => (i === at ? `{"type":"settings","values":${values}}` : line)))
  const deep = '['.repeat(500_000) + ']'.repeat(500_000)
  const view = await mover.check(withSettings(`{"fulfilledDays":${deep},"deadDays":30}`))
  expect(view).toMatchObject({ state: 'ready', effects: { settings: [{ name: 'deadDays', from: 7, to: 30 }] } })
  expect(mover.imports.checkedFile(view.id).settings).toEqual({ fulfilledDays: null, deadDays: 30 })
  const many = JSON.stringify(Object.fromEntries(Array.from({ length: 101 }, (_, i) => [`s${i}`, 1])))
  expect(await mover.check(withSettings(many))).toMatchObject({ state: 'refused', problem: `Line ${at + 1}: values: are too many.` })
})

test('a name like __proto__ is a name like any other', async () => {
  const bus = realBus()
  await using _ = bus
  using mover = new Mover(bus)
  const odd = withIntent((line) => line.replace('{"n":1.10}', '{"__proto__":{"x":1}}').replace('goal 0', '__proto__').replace('{"type"', '{"__proto__":{"status":"dead"},"type"'))
  expect(await mover.import(odd)).toMatchObject({ state: 'done' })
  expect(await bus.claim({ goal: '__proto__' })).toMatchObject({ payload: '{"__proto__":{"x":1}}' })
})

test('of two intents with the same id the first one comes over', async () => {
  await using bus = realBus()
  using mover = new Mover(bus)
  const intents = lines.filter((line) => line.startsWith('{"type":"intent"'))
  const doubled = withLines([...lines, intents[0]!.replace('goal 0', 'goal again')])
  const view = await mover.import(doubled)
  expect(outcomeOf(view, 'intents')).toEqual({ added: 3, present: 1, skipped: 0 })
  expect(bus.rows(`SELECT 1 FROM intents WHERE goal = 'goal again'`)).toHaveLength(0)
})

test('what is no export says so', async () => {
  expect(await refusal('{"hello":"world"}\n')).toContain('no export of an Intent Bus')
  expect(await refusal(Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a]))).toContain('no export of an Intent Bus')
  expect(await refusal('SQLite format 3\0 and then nothing')).toContain('cannot be read')
  expect(await refusal(withLines([lines[0]!.replace('"version":1', '"version":2'), ...lines.slice(1)]))).toContain('A newer version')
})

test('the database of a bus like this one is to be exported, not imported', async () => {
  const { readFileSync } = await import('node:fs')
  await from.restart()
  expect(await refusal(readFileSync(from.path))).toContain('export it there')
})

test('a wrong passphrase, and secrets that were changed, open nothing', async () => {
  using mover = new Mover(to)
  await expect(mover.import(file, 'wrong horse battery staple')).rejects.toThrow('not the passphrase of the export')
  const i = lines.findIndex((line) => line.startsWith('{"type":"secrets"'))
  const changed = lines.map((line, at) => (at === i ? line.replace(/"data":"(.)/, (_all, first: string) => `"data":"${first === 'A' ? 'B' : 'A'}`) : line))
  await expect(mover.import(withLines(changed), PASSPHRASE)).rejects.toThrow('not the passphrase')
  expect(to.rows('SELECT 1 FROM intents')).toHaveLength(0)
  // What guesses cost is not for the file to say.
  const cheap = lines.map((line, at) => (at === i ? line.replace('"N":65536', '"N":2') : line))
  expect(await refusal(withLines(cheap))).toContain(`Line ${i + 1}: kdf.N`)
  const dear = lines.map((line, at) => (at === i ? line.replace('"N":65536', '"N":1073741824') : line))
  expect(await refusal(withLines(dear))).toContain('kdf.N')
  const twice = lines.flatMap((line, at) => (at === i ? [line, line] : [line]))
  await expect(mover.import(withLines(twice), PASSPHRASE)).rejects.toThrow('not complete')
})

test('the seal is the one of the document: scrypt and AES-256-GCM', () => {
  const sealed = JSON.parse(lines.find((line) => line.startsWith('{"type":"secrets"'))!) as Record<string, unknown>
  expect(sealed).toMatchObject({ kdf: { name: 'scrypt', N: 65_536, r: 8, p: 2 }, part: 1, parts: 1 })
  expect(createHash('sha256').update(lines.map((line) => `${line}\n`).join('')).digest('hex')).toBe((JSON.parse(file.trimEnd().split('\n').at(-1)!) as { sha256: string }).sha256)
})
