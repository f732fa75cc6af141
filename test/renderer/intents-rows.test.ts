import { describe, expect, test } from 'vitest'
import { ControlError } from '../../src/shared/control/transport.ts'
import type { IntentRow } from '../../src/shared/control/intent-views.ts'
import { PAGE_SIZE, PagedRows } from '../../src/renderer/screens/intents/rows/paged-rows.ts'
import { rowOf } from './intent-row.ts'

/** A bus of numbered intents, of which some match; cursors are the numbers behind which to go on, newest first. */
class NumberedBus {
  readonly matching: Set<number>
  asked = 0
  isDown = false

  constructor(count: number) {
    this.matching = new Set(Array.from({ length: count }, (_, i) => i + 1))
  }

  async page(cursor: string | undefined, limit: number) {
    this.#knock()
    const behind = this.#behind(cursor)
    const numbers = behind.slice(0, limit)
    return { rows: numbers.map((n) => rowOf({ id: idOf(n) })), next: behind.length > limit ? String(numbers.at(-1)) : null }
  }

  async anchors(cursor: string) {
    this.#knock()
    const behind = this.#behind(cursor)
    const cursors = behind.filter((_, i) => i % PAGE_SIZE === 0).map((n) => String(n + 1))
    return { cursors, rows: behind.length, next: null }
  }

  #behind(cursor = 'Infinity'): number[] {
    return [...this.matching].filter((n) => n < Number(cursor)).sort((a, b) => b - a)
  }

  #knock(): void {
    this.asked++
    if (this.isDown) throw new ControlError({ code: 'unreachable', message: 'The bus does not answer.' })
  }
}

function idOf(n: number): string {
  return n.toString(16).padStart(32, '0')
}

const numberOf = (row: IntentRow | null): number | null => (row === null ? null : parseInt(row.id, 16))

/** Lets everything that is under way come to its end. */
async function settled(): Promise<void> {
  for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve))
}

async function opened(bus: NumberedBus): Promise<PagedRows> {
  const rows = new PagedRows(bus)
  await rows.open()
  await settled()
  return rows
}

function inMemory(rows: PagedRows): number[] {
  return Array.from({ length: rows.count }, (_, i) => numberOf(rows.at(i))).filter((n) => n !== null)
}

describe('going anywhere', () => {
  test('all rows are counted, and those on screen are read', async () => {
    const rows = await opened(new NumberedBus(1_234))
    expect([rows.count, rows.isCounted]).toEqual([1_234, true])
    expect(numberOf(rows.at(0))).toBe(1_234)
    expect(rows.at(700)).toBeNull()
    rows.show(700, 730)
    await settled()
    for (let i = 700; i <= 730; i++) expect(numberOf(rows.at(i))).toBe(1_234 - i)
    expect(rows.indexOf(idOf(1_234 - 715))).toBe(715)
  })

  test.each([0, 1, PAGE_SIZE, PAGE_SIZE + 1, 2 * PAGE_SIZE])('%i rows', async (count) => {
    const rows = await opened(new NumberedBus(count))
    rows.show(0, count)
    await settled()
    expect([rows.count, inMemory(rows).length, rows.isCounted]).toEqual([count, count, true])
  })

  test('what scrolled by long ago is forgotten, and read again when somebody comes back', async () => {
    const bus = new NumberedBus(20_000)
    const rows = await opened(bus)
    for (let first = 0; first < 20_000; first += 50) {
      rows.show(first, first + 49)
      await settled()
    }
    expect(inMemory(rows).length).toBeLessThan(6_000)
    expect(rows.at(5_000)).toBeNull()
    rows.show(5_000, 5_040)
    await settled()
    expect(numberOf(rows.at(5_020))).toBe(20_000 - 5_020)
    expect(rows.count).toBe(20_000)
  })

  test('while somebody drags, what passes by is not asked for', async () => {
    const bus = new NumberedBus(100_000)
    const rows = await opened(bus)
    const before = bus.asked
    for (let first = 0; first < 90_000; first += 300) rows.show(first, first + 40)
    await settled()
    expect(numberOf(rows.at(89_720))).toBe(100_000 - 89_720)
    expect(bus.asked - before).toBeLessThan(10)
  })

  test('rows from one index to another are read where they are not there', async () => {
    const rows = await opened(new NumberedBus(1_000))
    const numbers = (await rows.between(95, 405)).map(numberOf)
    expect(numbers).toEqual(Array.from({ length: 311 }, (_, i) => 1_000 - 95 - i))
  })
})

describe('while intents change', () => {
  test('a page that is read late and shorter shrinks the list, and tells how far what is on screen has moved', async () => {
    const bus = new NumberedBus(1_000)
    const rows = await opened(bus)
    const shifts: number[] = []
    rows.onShift = (by) => shifts.push(by)
    rows.show(500, 530)
    await settled()
    const held = rows.at(500)!
    for (const n of [1_000 - 350, 1_000 - 360, 1_000 - 370]) bus.matching.delete(n)
    rows.show(395, 510)
    await settled()
    rows.show(330, 410)
    await settled()
    expect(shifts).toEqual([-3])
    expect(rows.indexOf(held.id)).toBe(497)
    expect(rows.count).toBe(997)
    expect(inMemory(rows)).toEqual([...new Set(inMemory(rows))].sort((a, b) => b - a))
  })

  test('what is gone behind the end is counted no more', async () => {
    const bus = new NumberedBus(1_000)
    const rows = await opened(bus)
    for (let n = 1; n <= 450; n++) bus.matching.delete(n)
    rows.show(500, 530)
    await settled()
    expect(rows.count).toBe(550)
    expect(numberOf(rows.at(549))).toBe(451)
  })

  test('no row is there twice, and none is out of order, wherever one goes and whatever is gone', async () => {
    const random = seeded(7)
    for (let round = 0; round < 25; round++) {
      const bus = new NumberedBus(400 + Math.floor(random() * 900))
      const rows = await opened(bus)
      for (let step = 0; step < 30; step++) {
        for (const n of bus.matching) if (random() < 0.02) bus.matching.delete(n)
        const first = Math.floor(random() * rows.count)
        rows.show(first, Math.min(rows.count - 1, first + 30))
        await settled()
        const numbers = inMemory(rows)
        expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => b - a))
      }
    }
  })

  test('what is on screen is read again in its place, without what has come since', async () => {
    const bus = new NumberedBus(150)
    const rows = await opened(bus)
    bus.matching.delete(140)
    for (let n = 151; n <= 170; n++) bus.matching.add(n)
    rows.show(0, 40)
    expect(await rows.refresh(20)).toEqual([idOf(140)])
    expect([rows.count, numberOf(rows.at(0)), numberOf(rows.at(10))]).toEqual([150, 150, 140])
  })
})

describe('when the bus does not answer', () => {
  test('it says why, and goes on when it is asked to', async () => {
    const bus = new NumberedBus(1_000)
    const rows = await opened(bus)
    bus.isDown = true
    rows.show(500, 530)
    await settled()
    expect([rows.failure?.message, rows.at(500)]).toEqual(['The bus does not answer.', null])
    bus.isDown = false
    rows.retry()
    await settled()
    expect([rows.failure, numberOf(rows.at(500))]).toEqual([null, 500])
  })

  test('an interrupted count goes on where it was', async () => {
    const bus = new NumberedBus(1_000)
    const rows = new PagedRows(bus)
    const opening = rows.open()
    bus.isDown = true
    await opening
    await settled()
    expect([rows.count, rows.isCounted]).toEqual([PAGE_SIZE, false])
    bus.isDown = false
    rows.retry()
    await settled()
    expect([rows.count, rows.isCounted]).toEqual([1_000, true])
  })
})

/** Numbers from 0 to 1, the same in each run. */
function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}
