import { expect, test } from 'vitest'
import { TestServer } from '../support/test-server.ts'
import { claim, claimed, fail, lease, status } from './steps.ts'

/** Seconds from now until the intent may run again. */
async function backoff(server: TestServer, id: string): Promise<number> {
  return (await status(server, id)).run_at - server.clock.now()
}

test('a failed intent waits backoff_base times two to the number of attempts, plus less than two seconds', async () => {
  await using server = await TestServer.start()
  const id = await server.publish({ max_attempts: 5, backoff_base: 3 })
  for (const wait of [6, 12, 24, 48]) {
    await fail(server, await claim(server))
    const seconds = await backoff(server, id)
    expect(seconds).toBeGreaterThanOrEqual(wait)
    expect(seconds).toBeLessThan(wait + 2)
    await server.clock.advance(wait + 2)
  }
  await fail(server, await claim(server))
  expect(await status(server, id)).toMatchObject({ status: 'dead', claim_attempts: 5 })
})

test('the default waits are 10 and 20 seconds, and the third failure is the last', async () => {
  await using server = await TestServer.start()
  const id = await server.publish()
  await fail(server, await claim(server))
  expect(Math.floor(await backoff(server, id))).toBeOneOf([10, 11])
  await server.clock.advance(12)
  await fail(server, await claim(server))
  expect(Math.floor(await backoff(server, id))).toBeOneOf([20, 21])
  await server.clock.advance(22)
  await fail(server, await claim(server))
  expect(await status(server, id)).toMatchObject({ status: 'dead', claim_attempts: 3 })
})

test('the jitter spreads over all of its two seconds', async () => {
  await using server = await TestServer.start()
  const jitters: number[] = []
  for (let i = 0; i < 60; i++) {
    const taken = await lease(server)
    await fail(server, taken)
    jitters.push((await backoff(server, taken.id)) - 10)
  }
  expect(Math.min(...jitters)).toBeGreaterThanOrEqual(0)
  expect(Math.min(...jitters)).toBeLessThan(0.5)
  expect(Math.max(...jitters)).toBeLessThan(2)
  expect(Math.max(...jitters)).toBeGreaterThan(1.5)
})

test('an intent that backs off is claimable when its run_at has come', async () => {
  await using server = await TestServer.start()
  const { id } = await lease(server)
  await server.clock.advance(60)
  await fail(server, await claim(server))
  const { run_at } = await status(server, id)
  await server.clock.advance(run_at - server.clock.now() - 0.01)
  expect(await claimed(server)).toBe(204)
  await server.clock.advance(0.02)
  expect(await claimed(server)).toBe(id)
})

test('ended leases and failures use up the same attempts', async () => {
  await using server = await TestServer.start()
  const { id } = await lease(server, { max_attempts: 2 })
  await server.clock.advance(60)
  await fail(server, await claim(server), { error: 'second' })
  expect(await status(server, id)).toMatchObject({ status: 'dead', claim_attempts: 2, error: 'second' })
})

test('the longest backoff base is honoured', async () => {
  await using server = await TestServer.start()
  const taken = await lease(server, { backoff_base: 3600 })
  await fail(server, taken)
  expect(Math.floor(await backoff(server, taken.id))).toBeOneOf([7200, 7201])
})
