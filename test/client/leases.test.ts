import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { LeaseLostError, type Outcome, type WorkerOptions } from '../../src/main/client/index.ts'
import { losingFirstFulfil, type Fault, type Plan, type Seen } from './faulty-proxy.ts'
import { ClientRig, until } from './rig.ts'

/** Seconds; short, so that a lease is soon in need of extensions. */
const LEASE = 2

/** A worker on a bus with short leases, behind a network with faults, and what became of one intent. */
async function work(plan: Plan, options: Omit<WorkerOptions, 'goals' | 'goal'>): Promise<Work> {
  const rig = await ClientRig.start({ claimTimeout: LEASE }, plan)
  const client = rig.client()
  const errors: Error[] = []
  const outcomes: Outcome[] = []
  const worker = client.worker({
    goal: 'work',
    onError: (error) => void errors.push(error),
    onSettled: (outcome) => void outcomes.push(outcome),
    ...options
  })
  const running = worker.run()
  const { id } = await client.publish('work', 1, { maxAttempts: 5 })
  return {
    rig,
    id,
    errors,
    outcomes,
    async [Symbol.asyncDispose]() {
      await worker.stop({ handBack: true })
      await running
      await rig[Symbol.asyncDispose]()
    }
  }
}

interface Work extends AsyncDisposable {
  readonly rig: ClientRig
  readonly id: string
  readonly errors: readonly Error[]
  readonly outcomes: readonly Outcome[]
}

/** The first requests to one endpoint meet these faults, in their order; all others pass. */
function faults(endpoint: string, ...list: readonly Fault[]): Plan {
  return ({ path }: Seen, count) => (path.startsWith(endpoint) ? (list[count] ?? 'pass') : 'pass')
}

test.concurrent('a handler that takes longer than three leases keeps its intent', async () => {
  await using done = await work(() => 'pass', { handler: () => sleep(LEASE * 3500).then(() => 'long') })
  await until(() => done.outcomes.length > 0, 15)
  expect(done.outcomes).toEqual([{ status: 'fulfilled', result: 'long' }])
  expect(await done.rig.client().getStatus(done.id)).toMatchObject({ status: 'fulfilled', claimAttempts: 1 })
  const [claim, first] = [done.rig.proxy.to('/claim')[0]!, done.rig.proxy.to('/extend_claim')[0]!]
  expect(first.at - claim.at).toBeGreaterThan(LEASE / 3 - 0.1)
  expect(first.at - claim.at).toBeLessThan(LEASE / 2 + 0.3)
})

test.concurrent('an extension that does not get through is tried again while the lease runs', async () => {
  await using done = await work(faults('/extend_claim', 'drop'), { handler: () => sleep(4000) })
  await until(() => done.outcomes.length > 0)
  expect(done.outcomes[0]!.status).toBe('fulfilled')
  expect(done.errors.map(({ name }) => name)).toEqual(['IntentBusNetworkError'])
})

test.concurrent('a handler is told at once when the bus says that its lease is lost', async () => {
  let told: { after: number; reason: unknown } | undefined
  await using done = await work(() => 'pass', {
    handler: async (_payload, { signal, intent }) => {
      await done.rig.server.admin(`/admin/intents/${intent.id}/cancel`, {})
      const startedAt = performance.now()
      await new Promise((resolve) => signal.addEventListener('abort', resolve))
      told = { after: performance.now() - startedAt, reason: signal.reason }
    }
  })
  await until(() => told !== undefined)
  // The first extension finds it out.
  expect(told!.after).toBeLessThan(1000)
  expect(told!.reason).toBeInstanceOf(LeaseLostError)
  await until(() => done.outcomes.length > 0)
  expect(done.outcomes[0]!.status).toBe('lost')
  expect(done.errors).toEqual([told!.reason])
  expect(done.rig.proxy.to('/fulfill')).toHaveLength(0)
})

test.concurrent.each([
  ['breaks', 'drop'],
  ['hangs', 'hang']
] as const)('a handler is told when its lease ends because every extension %s', async (_name, fault) => {
  let after: number | undefined
  await using done = await work(({ path }) => (path.startsWith('/extend') ? fault : 'pass'), {
    handler: async (_payload, { signal }) => {
      const startedAt = performance.now()
      await new Promise((resolve) => signal.addEventListener('abort', resolve))
      after ??= performance.now() - startedAt
    }
  })
  await until(() => done.outcomes.length > 0)
  expect(after! / 1000).toBeGreaterThan(LEASE - 0.2)
  expect(after! / 1000).toBeLessThan(LEASE + 0.5)
  expect(done.outcomes[0]).toMatchObject({ status: 'lost', error: { code: 'lease_ended' } })
})

test.concurrent.each([
  ['got lost on the way', ['drop'], 2],
  ['was carried out, and its answer got lost', ['lose'], 2],
  ['met a bus that was busy', [{ status: 503, headers: { 'Retry-After': '0' } }], 2],
  ['met a proxy in trouble', [{ status: 502 }], 2]
] as const)('a fulfil that %s is sent again', async (_name, list, times) => {
  await using done = await work(faults('/fulfill', ...list), { handler: () => 'done' })
  await until(() => done.outcomes.length > 0)
  expect(done.outcomes).toEqual([{ status: 'fulfilled', result: 'done' }])
  expect(done.errors).toEqual([])
  expect(done.rig.proxy.to('/fulfill')).toHaveLength(times)
  expect(new Set(done.rig.proxy.to('/fulfill').map(({ body }) => body)).size).toBe(1)
  expect(await done.rig.client().getResult(done.id)).toMatchObject({ status: 'fulfilled', result: 'done', claimAttempts: 1 })
})

test.concurrent('a fail whose answer got lost is not taken for a lost lease', async () => {
  await using done = await work(faults('/fail', 'lose'), {
    handler: () => {
      throw new Error('broken')
    }
  })
  await until(() => done.outcomes.length > 0)
  expect(done.outcomes[0]).toMatchObject({ status: 'failed', error: { message: 'broken' } })
  expect(done.errors).toEqual([])
  expect((await done.rig.client().getStatus(done.id)).error).toBe('broken')
})

test.concurrent('a 404 behind a lost attempt is a lost lease when the bus says that the intent is not fulfilled', async () => {
  await using done = await work(faults('/fulfill', 'drop'), {
    handler: (_payload, { intent }) => {
      setTimeout(() => void done.rig.server.admin(`/admin/intents/${intent.id}/cancel`, {}), 200)
      return 'too late'
    }
  })
  await until(() => done.outcomes.length > 0)
  expect(done.outcomes[0]!.status).toBe('lost')
  expect(done.errors[0]).toBeInstanceOf(LeaseLostError)
})

test.concurrent('a fulfil that never gets through is told, and the intent comes again', async () => {
  let runs = 0
  await using done = await work(losingFirstFulfil(), { handler: () => `run ${++runs}` })
  await until(() => done.outcomes.length > 0, 15)
  expect(done.errors[0]!.name).toBe('IntentBusNetworkError')
  expect(done.outcomes).toEqual([{ status: 'fulfilled', result: 'run 2' }])
})

test.concurrent('the intent of a worker that died reaches a parked one within a second of the end of its lease', async () => {
  await using rig = await ClientRig.start({ claimTimeout: LEASE })
  const client = rig.client()
  const { id } = await client.publish('orphan', 1)
  expect((await client.claim({ goal: 'orphan' }))!.id).toBe(id)
  const claimedAt = performance.now()
  const again = (await client.claim({ goal: 'orphan', wait: 10 }))!
  expect(again).toMatchObject({ id, claimAttempts: 2 })
  expect((performance.now() - claimedAt) / 1000).toBeLessThan(LEASE + 1)
})

test.concurrent('progress is told, keeps the lease, and ends the work when the lease is lost', async () => {
  const notes: unknown[] = []
  let ended: unknown
  await using done = await work(() => 'pass', {
    onProgress: (note) => void notes.push(note),
    handler: async (_payload, { intent, progress }) => {
      await progress('begun')
      await sleep(400)
      await progress({ done: 0.5 })
      await done.rig.server.admin(`/admin/intents/${intent.id}/cancel`, {})
      await sleep(1200)
      await progress('not any more').catch((error: unknown) => (ended = error))
    }
  })
  await until(() => ended !== undefined)
  expect(ended).toBeInstanceOf(LeaseLostError)
  expect(notes[0]).toBe('begun')
  expect(notes[1]).toEqual({ done: 0.5 })
  // The first note came too soon for an extension, the second one made it before it was due.
  const [claim, first] = [done.rig.proxy.to('/claim')[0]!, done.rig.proxy.to('/extend_claim')[0]!]
  expect(first.at - claim.at).toBeLessThan(0.6)
})

test.concurrent('a talkative handler does not storm a bus that refuses its extensions', async () => {
  let notes = 0
  const busy = { status: 429, headers: { 'Retry-After': '1' } }
  await using done = await work(({ path }) => (path.startsWith('/extend') ? busy : 'pass'), {
    handler: async (_payload, { progress }) => {
      for (const end = performance.now() + 1500; performance.now() < end; notes++) {
        await progress(notes)
        await sleep(10)
      }
    }
  })
  await until(() => done.outcomes.length > 0)
  expect(done.outcomes[0]!.status).toBe('fulfilled')
  expect(notes).toBeGreaterThan(20)
  expect(done.rig.proxy.to('/extend_claim').length).toBeLessThanOrEqual(2)
})
