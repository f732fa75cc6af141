import { expect, test } from 'vitest'
import type { Key } from '../../src/main/bus/keys.ts'
import { formatId } from '../../src/main/bus/ids.ts'
import type { ClaimRequest } from '../../src/shared/requests.ts'
import { NO_LIMITS } from '../../src/shared/scope.ts'
import { generator } from '../support/generator.ts'
import { callerOf, CLAIM, MAIN, TestBus } from '../support/test-bus.ts'

/**
 * The claim looks at heads of lanes and remembers what it saw. SPEC 7.3 says it in one sentence, which is the query
 * below: on thousands of random states both must name the same intent.
 */
const NAIVE = `
  SELECT n, tail FROM intents
  WHERE (status = 0 OR (status = 1 AND claim_expires_at <= @now))
    AND run_at <= @now AND expires_at > @now AND claim_attempts < max_attempts AND namespace = @namespace
    AND (@goal IS NULL OR goal = @goal)
    AND CASE WHEN @publisher IS NULL THEN visibility = 'public' OR publisher = @key ELSE publisher = @publisher END
    AND (target_worker IS NULL OR target_worker = @worker)
    AND (required_capability IS NULL OR required_capability IN (SELECT value FROM json_each(@capabilities)))
  ORDER BY priority DESC, run_at, claim_attempts, created_at, n LIMIT 1`

const ALICE: Key = { id: 'key_00000000000a11ce', owner: 'alice', isMain: false, limits: NO_LIMITS }
const BOB: Key = { id: 'key_0000000000000b0b', owner: 'bob', isMain: false, limits: NO_LIMITS }

test.each([1, 2, 3, 4, 5, 6])('claims follow the rule of SPEC 7.3 on random states, seed %i', async (seed) => {
  await using t = new TestBus({ claimTimeout: 40 })
  const random = generator(seed)
  const held: { key: Key; id: string; claim_token: string }[] = []
  const ids: string[] = []
  let claims = 0
  let successes = 0

  const publish = async (): Promise<void> => {
    ids.push(
      await t.publish(
        {
          goal: random.pick(['a', 'b', 'c']),
          namespace: random.pick(['default', 'default', 'lab']),
          visibility: random.pick(['private', 'public']),
          priority: random.pick([0, 100, 100, 500, 1000, random.below(1001)]),
          delay: random.pick([0, 0, 5, 30, 200]),
          maxAttempts: 1 + random.below(3),
          backoffBase: random.pick([1, 5, 20]),
          targetWorker: random.pick([null, null, null, 'pi4']),
          requiredCapability: random.pick([null, null, null, 'gpu', 'disk'])
        },
        random.pick([MAIN, ALICE, BOB])
      )
    )
  }

  const claim = async (): Promise<void> => {
    const key = random.pick([MAIN, ALICE, BOB])
    const publisher = random.chance(0.2) ? random.pick(key.isMain ? ['main', ALICE.id, BOB.id] : [key.id]) : null
    const request: ClaimRequest = {
      ...CLAIM,
      goals: random.pick([[], ['a'], ['b'], ['c']]),
      namespace: random.pick(['default', 'default', 'lab']),
      publisher: key.isMain ? publisher : null,
      workerId: random.pick([null, 'pi4', 'mac']),
      capabilities: random.pick([[], ['gpu'], ['disk', 'gpu']])
    }
    const [expected] = t.rows<{ n: number; tail: string }>(NAIVE, {
      now: t.clock.now(),
      namespace: request.namespace,
      goal: request.goals[0] ?? null,
      publisher: request.publisher,
      key: key.id,
      worker: request.workerId,
      capabilities: JSON.stringify(request.capabilities)
    })
    const claimed = await t.bus.claim(callerOf(key), request)
    expect(claimed?.id ?? null).toBe(expected === undefined ? null : formatId(expected.n, expected.tail))
    claims++
    if (claimed === null) return
    successes++
    held.push({ key, id: claimed.id, claim_token: claimed.claim_token })
  }

  const settle = async (): Promise<void> => {
    const lease = held.splice(random.below(held.length), 1)[0]
    if (lease === undefined) return
    const caller = callerOf(lease.key)
    const settling = random.chance(0.5)
      ? t.bus.fail(caller, lease.id, { claimToken: lease.claim_token, error: 'no' })
      : t.bus.fulfill(caller, lease.id, { claimToken: lease.claim_token, result: null, resultType: 'json' })
    await settling.catch(() => {})
  }

  const manage = async (): Promise<void> => {
    if (ids.length === 0) return
    const id = random.pick(ids)
    await (random.chance(0.6) ? t.bus.retry(id) : t.bus.cancel(id)).catch(() => {})
  }

  for (let step = 0; step < 1_500; step++) {
    const dice = random.below(100)
    if (dice < 30) await publish()
    else if (dice < 75) await claim()
    else if (dice < 85) await settle()
    else if (dice < 90) await manage()
    // Mostly seconds; now and then a day, so that lifetimes end.
    else if (dice < 99) await t.clock.advance(random.below(40))
    else await t.clock.advance(random.pick([300, 90_000]))
  }
  expect(claims).toBeGreaterThan(500)
  expect(successes).toBeGreaterThan(100)
  const { kept, counted } = t.tallies()
  expect(kept).toEqual(counted)
})
