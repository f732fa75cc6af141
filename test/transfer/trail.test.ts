import { readdirSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { ADMIN_TOKEN, TestServer } from '../support/test-server.ts'
import { linesOf, PASSPHRASE, withLines } from './moving.ts'
import type { AuditView } from '../../src/shared/control/network-views.ts'
import type { ExportPart, ExportView, ImportView } from '../../src/shared/control/transfer-views.ts'

/** What the trail tells of imports: that one began, and how it ended. */

const INTENTS = 20_000

async function call<T>(server: TestServer, method: string, input: object): Promise<T> {
  const headers = { 'X-Admin-Token': ADMIN_TOKEN }
  const { status, json, text } = await server.ask({ method: 'POST', path: `/admin/control/${method}`, body: JSON.stringify(input), headers })
  if (status !== 200) throw new Error(text)
  return json.value as T
}

/** An export with secrets of a bus with one key, and of so many intents. */
async function fileOf(server: TestServer, intents: number): Promise<string> {
  await server.publish({ goal: 'model', payload: {} })
  const { id } = await call<ExportView>(server, 'transfer.export', { passphrase: PASSPHRASE })
  let text = ''
  for (let part = 0, isLast = false; !isLast; part++) {
    const read = await call<ExportPart>(server, 'transfer.read', { id, part })
    text += read.text
    isLast = read.isLast
  }
  const lines = linesOf(text)
  const intent = lines.pop()!
  const own = (JSON.parse(intent) as { id: string }).id
  const n = parseInt(own.slice(0, 14), 16)
  const idOf = (i: number): string => (n - i).toString(16).padStart(14, '0') + i.toString(16).padStart(18, '0')
  return withLines([...lines, ...Array.from({ length: intents }, (_, i) => intent.replace(own, idOf(i)))])
}

/** Hands a file in and begins its import. */
async function begin(server: TestServer, file: string, passphrase: string | null, options: object = {}): Promise<string> {
  const bytes = Buffer.from(file)
  let id: string | null = null
  for (let offset = 0; offset < bytes.length; offset += 524_288) {
    const data = bytes.subarray(offset, offset + 524_288).toString('base64')
    ;({ id } = await call<ImportView>(server, 'transfer.upload', { id, name: 'moving.ndjson', offset, data }))
  }
  await call(server, 'transfer.check', { id })
  await until(server, ({ state }) => state !== 'checking')
  await call(server, 'transfer.start', { id, passphrase, confirm: true, ...options })
  return id!
}

async function until(server: TestServer, isThere: (view: ImportView) => boolean): Promise<ImportView> {
  for (;;) {
    const { import: view } = await call<{ import: ImportView }>(server, 'transfer.get', {})
    if (isThere(view)) return view
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

/** What the trail tells of imports, oldest first. */
async function trailOf(server: TestServer): Promise<Pick<AuditView, 'event' | 'subject' | 'detail'>[]> {
  await server.bus.notesWritten()
  const { entries } = await call<{ entries: AuditView[] }>(server, 'audit.list', {})
  const told = entries.filter(({ event }) => /import/.test(event))
  return told.map(({ event, subject, detail }) => ({ event, subject, detail })).reverse()
}

function start(): Promise<TestServer> {
  return TestServer.start({ isClockReal: true })
}

const subject = 'moving.ndjson'

test('of an import that is stopped the trail says that its keys count, and what it has added', { timeout: 120_000 }, async () => {
  await using old = await start()
  await using fresh = await start()
  const key = await old.newKey('mole')
  const id = await begin(fresh, await fileOf(old, INTENTS), PASSPHRASE)
  await until(fresh, ({ state, done }) => state !== 'importing' || done > 500)
  await call(fresh, 'transfer.drop', { id })
  // Stopped is stopped: nothing more is added, and nothing is left of the file.
  const there = fresh.bus.counts.open
  expect(there).toBeGreaterThan(100)
  expect(there).toBeLessThan(INTENTS)
  expect(readdirSync(join(dirname(fresh.databasePath), 'imports'))).toEqual([])
  expect((await fresh.post('/intent', { goal: 'g', payload: {} }, {}, key)).status).toBe(201)
  expect(await trailOf(fresh)).toEqual([
    { event: 'import.started', subject, detail: '20,000 intents and 1 key; its keys count as soon as they are added' },
    { event: 'import.stopped', subject, detail: `${there.toLocaleString('en-US')} intents added; 1 key added` }
  ])
})

test('of one that fails the trail says why, and of one that is run again what came over then', { timeout: 120_000 }, async () => {
  await using old = await start()
  await using fresh = await start()
  await old.newKey('mole')
  const file = await fileOf(old, INTENTS)
  await begin(fresh, file, null)
  await until(fresh, ({ state, done }) => state !== 'importing' || done > 500)
  rmSync(join(dirname(fresh.databasePath), 'imports'), { recursive: true })
  expect(await until(fresh, ({ state }) => state !== 'importing')).toMatchObject({ state: 'failed' })
  const there = fresh.bus.counts.open
  await begin(fresh, file, PASSPHRASE)
  expect(await until(fresh, ({ state }) => state !== 'importing')).toMatchObject({ state: 'done' })
  const said = (count: number): string => count.toLocaleString('en-US')
  expect(await trailOf(fresh)).toEqual([
    { event: 'import.started', subject, detail: '20,000 intents and 1 key; its keys come by name only' },
    { event: 'import.failed', subject, detail: `${said(there)} intents added; 0 keys added, 1 by name only. Something went wrong inside the bus; its log says more.` },
    { event: 'import.started', subject, detail: '20,000 intents and 1 key; its keys count as soon as they are added' },
    { event: 'data.imported', subject, detail: `${said(INTENTS - there)} intents added, ${said(there)} there already; 0 keys added, 1 completed` }
  ])
})

test('one that is stopped takes nothing over, even when all of it was added', async () => {
  await using old = await start()
  await using fresh = await start()
  const id = await begin(fresh, await fileOf(old, 1), PASSPHRASE, { takeOver: true })
  await expect.poll(() => fresh.bus.counts.open).toBe(1)
  // It waits a moment for somebody who wants to hear of its end.
  await call(fresh, 'transfer.drop', { id })
  expect(await trailOf(fresh)).toMatchObject([{ event: 'import.started' }, { event: 'import.stopped', detail: expect.stringContaining('1 intent added') as string }])
  expect((await fresh.post('/intent', { goal: 'g', payload: {} })).status).toBe(201)
  const { entries } = await call<{ entries: AuditView[] }>(fresh, 'audit.list', {})
  expect(entries.filter(({ event }) => event === 'key.rotated' || event === 'password.changed')).toEqual([])
})

test('settings of which none means anything here are said to be as they were', async () => {
  await using old = await start()
  await using fresh = await start()
  const lines = linesOf(await fileOf(old, 1)).map((line) => (line.startsWith('{"type":"settings"') ? '{"type":"settings","values":{"port":1,"soon":true}}' : line))
  await begin(fresh, withLines(lines), null, { takeSettings: true })
  const { report } = await until(fresh, ({ state }) => state !== 'importing')
  expect(report!.notes).toEqual(['The settings are as they were here: the file has none that mean something here. Not taken over: port, soon.'])
})
