import { existsSync, readdirSync } from 'node:fs'
import { expect, test } from 'vitest'
import { HandClock } from '../support/hand-clock.ts'
import { DEFAULT_SETTINGS } from '../../src/shared/control/settings.ts'
import type { Piece } from '../../src/main/transfer/imports.ts'
import { exportOf, linesOf, Mover, outcomeOf, realBus, withLines } from './moving.ts'

const MB = 2 ** 20

const first: Piece = { id: null, name: 'file', size: null, part: 'file', offset: 0, bytes: Buffer.from('hello') }

function arrived({ folder }: Mover): string[] {
  return existsSync(folder) ? readdirSync(folder) : []
}

test('a file that the disk has no room for is refused before a byte of it is written', async () => {
  await using bus = realBus()
  using mover = new Mover(bus, { freeBytes: async () => 200 * MB })
  const refusal = mover.imports.upload({ ...first, size: 100 * MB })
  await expect(refusal).rejects.toMatchObject({ code: 'storage_unavailable', message: expect.stringMatching(/has 200 MB left, and the import needs 228 MB.*Make room on it/) as string })
  expect(mover.imports.view).toBe(null)
  expect(arrived(mover)).toEqual([])
  expect(await mover.imports.upload({ ...first, size: 72 * MB })).toMatchObject({ state: 'arriving', bytes: 5 })
  await expect(mover.imports.upload({ ...first, size: 17 * 2 ** 30 })).rejects.toMatchObject({ code: 'payload_too_large' })
})

test('nothing is left of a file for which the disk has no room any more', async () => {
  let free = 200 * MB
  await using bus = realBus()
  using mover = new Mover(bus, { freeBytes: async () => free })
  const { id } = await mover.imports.upload(first)
  expect(arrived(mover)).toEqual([id])
  free = 128 * MB
  await expect(mover.imports.upload({ ...first, id, offset: 5 })).rejects.toMatchObject({ code: 'storage_unavailable' })
  expect(mover.imports.view).toBe(null)
  expect(arrived(mover)).toEqual([])
})

test('a file that nobody goes on with is forgotten: after five minutes on its way, after an hour when it is there', async () => {
  await using bus = realBus()
  const clock = new HandClock()
  using mover = new Mover(bus, { clock })
  const { id } = await mover.imports.upload(first)
  await clock.advance(299)
  await mover.imports.upload({ ...first, id, offset: 5 })
  await clock.advance(299)
  expect(mover.imports.view).toMatchObject({ id, bytes: 10 })
  await clock.advance(2)
  expect(mover.imports.view).toBe(null)
  await expect.poll(() => arrived(mover), { timeout: 30_000 }).toEqual([])
  await mover.check(withLines(linesOf(await exportOf(bus))))
  await clock.advance(3_599)
  expect(mover.imports.view).toMatchObject({ state: 'ready' })
  await clock.advance(2)
  expect(mover.imports.view).toBe(null)
  await expect.poll(() => arrived(mover), { timeout: 30_000 }).toEqual([])
})

test('an import ends before it fills the disk, and gives back the room that its file took', async () => {
  await using from = realBus()
  await from.publish({ goal: 'model', payload: JSON.stringify('x'.repeat(500)) })
  const lines = linesOf(await exportOf(from))
  const intent = lines.pop()!
  const { id } = JSON.parse(intent) as { id: string }
  const n = parseInt(id.slice(0, 14), 16)
  const idOf = (i: number): string => (n - i).toString(16).padStart(14, '0') + i.toString(16).padStart(18, '0')
  const file = withLines([...lines, ...Array.from({ length: 20_000 }, (_, i) => intent.replace(id, idOf(i)))])
  await using bus = realBus()
  let free = 500 * MB
  using mover = new Mover(bus, { freeBytes: async () => free })
  const checked = await mover.check(file)
  free = 100 * MB
  const view = await mover.start(checked.id)
  expect(view).toMatchObject({ state: 'refused', problem: expect.stringContaining('Make room on it, then import the file again.') as string })
  expect(arrived(mover)).toEqual([])
  const there = bus.rows('SELECT 1 FROM intents').length
  expect(there).toBeLessThan(20_000)
  expect(await bus.publish({ goal: 'work goes on' })).toMatch(/^[0-9a-f]{32}$/)
  free = 500 * MB
  expect(outcomeOf(await mover.import(file), 'intents')).toEqual({ added: 20_000 - there, present: there, skipped: 0 })
})

test('what is finished and would not stay, as the database has its bound, is told beforehand', async () => {
  await using from = realBus()
  for (let i = 0; i < 400; i++) await from.publish({ goal: 'large', payload: JSON.stringify('x'.repeat(6_500)) })
  const file = await exportOf(from)
  const finished = withLines(linesOf(file).map((line) => line.replace('"status":"open"', '"status":"fulfilled"').replace('"finished_at":null', '"finished_at":1790000000')))
  await using to = realBus()
  let maxDatabaseMegabytes = 2
  using mover = new Mover(to, { settings: () => ({ ...DEFAULT_SETTINGS, maxDatabaseMegabytes }) })
  expect((await mover.check(finished)).effects!.tooLarge).toEqual({ megabytes: 3, bound: 2 })
  // Whoever raises the bound need not choose the file again.
  maxDatabaseMegabytes = 10
  expect(mover.imports.view!.effects!.tooLarge).toBe(null)
  maxDatabaseMegabytes = 0
  expect(mover.imports.view!.effects!.tooLarge).toBe(null)
  maxDatabaseMegabytes = 2
  // What is open is never deleted for want of room.
  expect((await mover.check(file)).effects!.tooLarge).toBe(null)
})
