import { expect, test } from 'vitest'
import { Operator } from '../../src/main/cli/bus/operator.ts'
import { Stranger } from './stranger.ts'

/** An operator of few seconds' patience. */
function operatorAt(url: string, signal = new AbortController().signal): Operator {
  return new Operator({ url, fetch }, { kind: 'password', secret: 'p', from: 'a test' }, signal, 0.3)
}

test.each([
  ['does not answer', () => {}],
  ['stops in the middle of its answer', (_req, res) => void res.write('{"value":')],
  ['stops in the middle of its refusal', (_req, res) => void res.writeHead(500).write('{"error":')]
] as const satisfies readonly (readonly [string, Parameters<typeof Stranger.listen>[0]])[])('a bus that %s is not waited for', async (_, answer) => {
  await using bus = await Stranger.listen(answer)
  const startedAt = performance.now()
  const call = operatorAt(bus.url).call('status.get', {})
  await expect(call).rejects.toMatchObject({ name: 'ControlError', code: 'unreachable', message: 'no answer within 0.3 seconds' })
  expect(performance.now() - startedAt).toBeLessThan(2_000)
})

test('the user who gives up is no trouble of the bus', async () => {
  await using bus = await Stranger.listen(() => {})
  const gone = new Error('gone')
  const controller = new AbortController()
  const call = operatorAt(bus.url, controller.signal).call('status.get', {})
  setTimeout(() => controller.abort(gone), 50)
  await expect(call).rejects.toBe(gone)
})
