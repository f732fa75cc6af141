import { afterAll, expect, test, vi } from 'vitest'
import type { WorkerOptions } from '../../src/main/client/index.ts'
import { ClientRig } from './rig.ts'

const rig = await ClientRig.start()
afterAll(() => rig[Symbol.asyncDispose]())
const client = rig.client()

type Listener = () => never | Promise<never>

/** How those who listen may be at fault. A rejection that nobody handled would fail the run of the tests. */
const WAYS: readonly (readonly [name: string, listener: Listener])[] = [
  [
    'throws',
    () => {
      throw new Error('a fault of the listener')
    }
  ],
  [
    'throws nothing',
    () => {
      throw undefined
    }
  ],
  ['rejects', () => Promise.reject(new Error('a fault of the listener'))]
]

/** Two intents, of which the second one fails, in the hands of a worker; resolves with what its handler could do. */
async function work(goal: string, options: WorkerOptions): Promise<number> {
  let runs = 0
  const worker = client.worker({
    goal,
    handler: async (payload, { progress }) => {
      await progress('half')
      runs++
      if (payload === 'bad') throw new Error('no')
      return payload
    },
    ...options
  })
  const running = worker.run()
  expect((await client.publishAndWait(goal, 'good')).result).toBe('good')
  await expect(client.publishAndWait(goal, 'bad', { maxAttempts: 1 })).rejects.toThrow(/is dead: no$/)
  await worker.stop()
  await running
  return runs
}

for (const name of ['onClaim', 'onProgress', 'onSettled'] as const) {
  test.each(WAYS)(`an ${name} that %s is trouble, and loses no intent`, async (way, listener) => {
    const errors: Error[] = []
    const runs = await work(`${name} ${way}`, { [name]: listener, onError: (error) => void errors.push(error) })
    expect(runs).toBe(2)
    expect(errors).toHaveLength(2)
    expect(errors.every((error) => error instanceof Error)).toBe(true)
  })
}

test.each(WAYS)('an onError that %s loses no intent either, and is told on the console', async (way, listener) => {
  using console = vi.spyOn(globalThis.console, 'error').mockImplementation(() => {})
  expect(await work(`onError ${way}`, { onClaim: listener, onSettled: listener, onError: listener })).toBe(2)
  expect(console.mock.calls.map(([text]: unknown[]) => text)).toEqual(Array(4).fill('intent bus: onError threw'))
})
