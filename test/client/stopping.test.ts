import { expect, test } from 'vitest'
import { IntentBusNetworkError, type StopOptions } from '../../src/main/client/index.ts'
import type { Fault } from './faulty-proxy.ts'
import { ClientRig, until } from './rig.ts'

/** Seconds within which a bus is told that an intent is handed back, and what a slow machine adds. */
const HAND_BACK = { longest: 5, slack: 1.5 } as const

interface Row {
  readonly name: string
  readonly fault: Fault
  /** Whether the handler has ended before the worker is stopped. */
  readonly isDone: boolean
  readonly stop: StopOptions
  readonly error: object
}

const REFUSED = { name: 'IntentBusNetworkError', code: 'network' }
const BUSY = { status: 503, headers: { 'Retry-After': '50' } }

const TABLE: readonly Row[] = [
  { name: 'a result that does not get through', fault: 'drop', isDone: true, stop: { handBack: true }, error: REFUSED },
  { name: 'a result that nobody answers to', fault: 'hang', isDone: true, stop: { handBack: true }, error: { code: 'timeout' } },
  { name: 'a result that is to come back later', fault: BUSY, isDone: true, stop: { handBack: true }, error: { status: 503 } },
  { name: 'a result, given some time first,', fault: 'drop', isDone: true, stop: { timeout: 0.5 }, error: REFUSED },
  { name: 'a hand-back that does not get through', fault: 'drop', isDone: false, stop: { handBack: true }, error: REFUSED },
  { name: 'a hand-back that nobody answers to', fault: 'hang', isDone: false, stop: { timeout: 0.5 }, error: { code: 'timeout' } }
]

test.concurrent.each(TABLE)('$name keeps a worker from stopping for some seconds only', async ({ fault, isDone, stop, error }) => {
  await using rig = await ClientRig.start({}, ({ path }) => (/^\/(fulfill|fail)\//.test(path) ? fault : 'pass'))
  const client = rig.client()
  const errors: Error[] = []
  const outcomes: unknown[] = []
  const worker = client.worker({
    goal: 'stops',
    handler: () => (isDone ? 'done' : new Promise(() => {})),
    onError: (error) => void errors.push(error),
    onSettled: (outcome) => void outcomes.push(outcome)
  })
  const running = worker.run()
  await client.publish('stops', 1)
  await until(() => worker.size === 1 && (!isDone || rig.proxy.to('/fulfill').length > 0))
  const startedAt = performance.now()
  await worker.stop(stop)
  await running
  const took = (performance.now() - startedAt) / 1000
  expect(took).toBeLessThan((stop.timeout ?? 0) + HAND_BACK.longest + HAND_BACK.slack)
  expect(errors).toHaveLength(1)
  expect(errors[0]).toMatchObject(error)
  expect(outcomes).toEqual([])
  expect(worker.size).toBe(0)
})

test.concurrent('a result that gets through while the worker stops is no trouble', async () => {
  let isDown = true
  await using rig = await ClientRig.start({}, ({ path }) => (path.startsWith('/fulfill') && isDown ? 'drop' : 'pass'))
  const client = rig.client()
  const errors: Error[] = []
  const worker = client.worker({ goal: 'stops', handler: () => 'done', onError: (error) => void errors.push(error) })
  const running = worker.run()
  const { id } = await client.publish('stops', 1)
  await until(() => rig.proxy.to('/fulfill').length > 0)
  isDown = false
  await worker.stop({ handBack: true })
  await running
  expect(errors).toEqual([])
  expect(await client.getResult(id)).toMatchObject({ status: 'fulfilled', result: 'done' })
})

test.concurrent('telling again and again to hand back gives no more time', async () => {
  await using rig = await ClientRig.start({}, ({ path }) => (path.startsWith('/fail') ? 'hang' : 'pass'))
  const client = rig.client()
  const errors: Error[] = []
  const worker = client.worker({ goal: 'stops', handler: () => new Promise(() => {}), onError: (error) => void errors.push(error) })
  const running = worker.run()
  await client.publish('stops', 1)
  await until(() => worker.size === 1)
  const startedAt = performance.now()
  const again = setInterval(() => void worker.stop({ handBack: true }), 1000)
  await worker.stop({ handBack: true })
  await running
  clearInterval(again)
  expect((performance.now() - startedAt) / 1000).toBeLessThan(HAND_BACK.longest + HAND_BACK.slack)
  expect(errors[0]).toBeInstanceOf(IntentBusNetworkError)
})
