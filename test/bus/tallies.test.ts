import { expect, test } from 'vitest'
import { STATUS_NAMES } from '../../src/shared/control/intent-views.ts'
import { generator } from '../support/generator.ts'
import { callerOf, MAIN, TestBus } from '../support/test-bus.ts'

/** What the bus says of its intents by status, and the same counted. */
function totals(t: TestBus): { said: unknown; counted: unknown } {
  const rows = t.rows<{ status: number; count: number }>('SELECT status, count(*) AS count FROM intents GROUP BY status')
  const counted = Object.fromEntries(STATUS_NAMES.map((name, i) => [name, rows.find(({ status }) => status === i)?.count ?? 0]))
  return { said: t.bus.counts, counted }
}

/** Runs operations of all kinds on `goals` goals, some alone and some in one transaction. */
async function live(t: TestBus, seed: number, steps: number, goals: number, check: () => void): Promise<void> {
  const random = generator(seed)
  const ids: string[] = []
  const leases: { id: string; claim_token: string }[] = []
  const operations = [
    async () => {
      ids.push(await t.publish({ goal: `goal ${random.below(goals)}`, namespace: random.pick(['default', 'lab']), maxAttempts: 1 + random.below(2) }))
    },
    async () => {
      const claimed = await t.claim({ namespace: random.pick(['default', 'lab']) })
      if (claimed !== null) leases.push(claimed)
    },
    async () => {
      const lease = leases.pop()
      if (lease === undefined) return
      const settling = random.chance(0.5)
        ? t.bus.fail(callerOf(MAIN), lease.id, { claimToken: lease.claim_token, error: 'no' })
        : t.bus.fulfill(callerOf(MAIN), lease.id, { claimToken: lease.claim_token, result: null, resultType: 'json' })
      await settling.catch(() => {})
    },
    async () => {
      if (ids.length > 0) await (random.chance(0.5) ? t.bus.cancel(random.pick(ids)) : t.bus.retry(random.pick(ids))).catch(() => {})
    },
    () => t.clock.advance(random.pick([1, 30, 90_000]))
  ]
  for (let step = 0; step < steps; step++) {
    const crowd = random.chance(0.3) ? 40 : 1
    await Promise.all(Array.from({ length: crowd }, () => operations[random.pick([0, 0, 0, 1, 1, 2, 2, 3])]!()))
    if (random.chance(0.05)) await operations[4]!()
    if (step % 20 === 0) check()
  }
  check()
}

test.each([
  [1, 3],
  [2, 40],
  [3, 400]
])('counts by goal are those of a count on a random history, seed %i with %i goals', async (seed, goals) => {
  await using t = new TestBus()
  const check = (): void => {
    const { kept, counted } = t.tallies()
    expect(kept).toEqual(counted)
    const { said, counted: fresh } = totals(t)
    expect(said).toEqual(fresh)
  }
  await live(t, seed, 200, goals, check)
  await t.restart()
  check()
})

test('a crash at any moment loses no count', async () => {
  await using t = new TestBus()
  const crashes: { said: unknown; before: unknown }[] = []
  const ended: Promise<void>[] = []
  await live(t, 4, 60, 50, () => {
    const after = new TestBus({}, { crashed: t })
    crashes.push({ said: after.bus.counts, before: t.bus.counts })
    ended.push(after[Symbol.asyncDispose]())
  })
  await Promise.all(ended)
  expect(crashes).toHaveLength(4)
  for (const { said, before } of crashes) expect(said).toEqual(before)
})

test('what a crash left in the log is part of the counts, and of the next ones', async () => {
  await using t = new TestBus()
  await Promise.all(Array.from({ length: 30 }, (_, i) => t.publish({ goal: `goal ${i}` })))
  await Promise.all(Array.from({ length: 30 }, (_, i) => t.claim({ goal: `goal ${i}` })))
  await using after = new TestBus({}, { crashed: t })
  expect(after.rows('SELECT seq FROM tally_log')).toHaveLength(2)
  await after.publish({ goal: 'goal 7' })
  expect(after.bus.counts).toMatchObject({ open: 1, claimed: 30 })
  expect(after.tallies().kept).toEqual(after.tallies().counted)
  await after.clock.advance(31)
  expect(after.rows('SELECT seq FROM tally_log')).toEqual([])
  expect(after.tallies().kept).toEqual(after.tallies().counted)
})
