import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { BusProcess } from '../support/bus-process.ts'
import { temporaryFolder } from '../support/folders.ts'
import { ask } from '../support/http-client.ts'
import { withLines } from './moving.ts'
import type { ExportPart, ExportView, ImportView } from '../../src/shared/control/transfer-views.ts'

const INTENTS = 20_000
/** Bytes that a bus may need more than before, for whatever size of file: buffers, and what waits to be collected. */
const MORE_MEMORY = 120 * 1_048_576

async function call<T>({ url, password }: BusProcess, method: string, input: object): Promise<T> {
  const headers = { Authorization: `Basic ${Buffer.from(`admin:${password}`).toString('base64')}` }
  const { status, json, text } = await ask(url, { method: 'POST', path: `/admin/control/${method}`, body: JSON.stringify(input), headers })
  if (status !== 200) throw new Error(text)
  return json.value as T
}

/** An export of so many open intents, made by hand: publishing them would take longer than the test. */
async function bigFile(bus: BusProcess): Promise<string> {
  const headers = { 'X-API-KEY': bus.mainKey }
  await ask(bus.url, { method: 'POST', path: '/intent', headers, body: JSON.stringify({ goal: 'model', payload: { text: 'x'.repeat(500) } }) })
  const model = (await exportAll(bus)).split('\n').slice(0, -2)
  const intent = model.pop()!
  const { id } = JSON.parse(intent) as { id: string }
  const n = parseInt(id.slice(0, 14), 16)
  const idOf = (i: number): string => (n - i).toString(16).padStart(14, '0') + i.toString(16).padStart(18, '0')
  return withLines([...model, ...Array.from({ length: INTENTS }, (_, i) => intent.replace(id, idOf(i)))])
}

async function exportAll(bus: BusProcess): Promise<string> {
  const { id } = await call<ExportView>(bus, 'transfer.export', {})
  let text = ''
  for (let part = 0, isLast = false; !isLast; part++) {
    const read = await call<ExportPart>(bus, 'transfer.read', { id, part })
    text += read.text
    isLast = read.isLast
  }
  return text
}

async function upload(bus: BusProcess, file: string): Promise<string> {
  const bytes = Buffer.from(file)
  let id: string | null = null
  for (let offset = 0; offset < bytes.length; offset += 524_288) {
    const data = bytes.subarray(offset, offset + 524_288).toString('base64')
    ;({ id } = await call<ImportView>(bus, 'transfer.upload', { id, name: 'big.ndjson', offset, data }))
  }
  await call(bus, 'transfer.check', { id })
  await settled(bus, 'checking')
  return id!
}

async function view(bus: BusProcess): Promise<ImportView> {
  return (await call<{ import: ImportView }>(bus, 'transfer.get', {})).import
}

async function settled(bus: BusProcess, busy: ImportView['state'], until: (view: ImportView) => boolean = () => false): Promise<ImportView> {
  for (;;) {
    const now = await view(bus)
    if (now.state !== busy || until(now)) return now
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

/** Memory of a process in bytes, as Linux counts it. */
function memoryOf({ process: { pid } }: BusProcess): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]) * 1024
}

async function countOf(bus: BusProcess): Promise<number> {
  return (await call<{ count: number }>(bus, 'intents.count', {})).count
}

test.skipIf(process.platform !== 'linux')(
  'an import that is killed in the middle loses and doubles nothing, and goes on when it is run again',
  { timeout: 240_000 },
  async () => {
    using oldFolder = temporaryFolder()
    using folder = temporaryFolder()
    await using old = await BusProcess.start(oldFolder.path)
    const file = await bigFile(old)
    let bus = await BusProcess.start(folder.path)
    try {
      const id = await upload(bus, file)
      await call(bus, 'transfer.start', { id, confirm: true })
      await settled(bus, 'importing', ({ done }) => done > 2_000)
      await bus.kill('SIGKILL')
      bus = await BusProcess.start(folder.path)
      const there = await countOf(bus)
      expect(there).toBeGreaterThan(2_000)
      expect(there).toBeLessThan(INTENTS)
      // What had arrived held everything in clear.
      await expect.poll(() => readdirSync(folder.path), { timeout: 30_000 }).not.toContain('imports')
      const before = memoryOf(bus)
      const again = await upload(bus, file)
      await call(bus, 'transfer.start', { id: again, confirm: true })
      const { report, state, problem } = await settled(bus, 'importing')
      expect({ state, problem }).toEqual({ state: 'done', problem: null })
      expect(report!.outcomes[0]).toMatchObject({ what: 'intents', added: INTENTS - there, present: there, skipped: 0 })
      expect(await countOf(bus)).toBe(INTENTS)
      expect(memoryOf(bus) - before).toBeLessThan(MORE_MEMORY)
      expect(readdirSync(join(folder.path, 'imports'))).toEqual([])
      const claim = await ask(bus.url, { method: 'POST', path: '/claim?goal=model', headers: { 'X-API-KEY': bus.mainKey } })
      expect(claim.json).toMatchObject({ goal: 'model', claim_attempts: 1 })
      expect((await exportAll(bus)).split('\n')).toHaveLength(file.split('\n').length)
    } finally {
      await bus[Symbol.asyncDispose]()
    }
  }
)

test.skipIf(process.platform !== 'linux')('requests go on while a file is imported', { timeout: 120_000 }, async () => {
  using folder = temporaryFolder()
  await using bus = await BusProcess.start(folder.path)
  const file = await bigFile(bus)
  const id = await upload(bus, file)
  await call(bus, 'transfer.start', { id, confirm: true })
  const headers = { 'X-API-KEY': bus.mainKey }
  const took: number[] = []
  let isOver = false
  const ended = settled(bus, 'importing').then(() => (isOver = true))
  while (!isOver) {
    const started = performance.now()
    const { status } = await ask(bus.url, { method: 'POST', path: '/intent', headers, body: '{"goal":"meanwhile","payload":1}' })
    took.push(performance.now() - started)
    expect(status).toBe(201)
  }
  await ended
  took.sort((a, b) => a - b)
  expect(took.length).toBeGreaterThan(100)
  expect(took[Math.floor(took.length * 0.99)]!).toBeLessThan(250)
})

test('an import that ends with its bus has its end in the trail', { timeout: 120_000 }, async () => {
  using folder = temporaryFolder()
  {
    await using bus = await BusProcess.start(folder.path)
    const id = await upload(bus, await bigFile(bus))
    await call(bus, 'transfer.start', { id, confirm: true })
    await settled(bus, 'importing', ({ done }) => done > 500)
    await bus.kill('SIGTERM')
  }
  await using bus = await BusProcess.start(folder.path)
  const { entries } = await call<{ entries: { event: string; detail: string }[] }>(bus, 'audit.list', {})
  const [end, begin] = entries.filter(({ event }) => event.startsWith('import.'))
  expect(begin).toMatchObject({ event: 'import.started', detail: '20,000 intents' })
  expect(end).toMatchObject({ event: 'import.stopped', detail: expect.stringMatching(/^[\d,]+ intents added/) as string })
})
