import { expect, test } from 'vitest'
import type { Envelope } from '../../../src/shared/control/transport.ts'
import { findQuitQuestion, quitQuestion } from '../../../src/main/desktop/quit-question.ts'

const LEASE = { goal: 'resize', worker: 'pi4', claimedBy: 'key_1' }

test('one lease is named with its goal and worker', () => {
  const { message, detail } = quitQuestion([LEASE], 1)
  expect(message).toBe('1 intent is being worked on.')
  expect(detail).toMatch(/^resize \(pi4\)\n\n/)
})

test('a worker without a name is told by its key', () => {
  expect(quitQuestion([{ ...LEASE, worker: null }], 1).detail).toMatch(/^resize \(key_1\)\n\n/)
})

test('of many leases some are named, the others counted', () => {
  const { message, detail } = quitQuestion(Array(6).fill(LEASE), 1_000)
  expect(message).toBe('1000 intents are being worked on.')
  expect(detail.split('\n').slice(0, 7)).toEqual([...Array(5).fill('resize (pi4)'), 'and 995 more', ''])
})

function busWith(answers: Record<string, Envelope>, isRunning = true) {
  return { isRunning, call: async (method: string) => answers[method]! }
}

test('an idle bus is left without a question', async () => {
  const answers: Record<string, Envelope> = {
    'intents.list': { ok: true, value: { rows: [], next: null } },
    'intents.count': { ok: true, value: { count: 0, isExact: true, asOf: '' } }
  }
  expect(await findQuitQuestion(busWith(answers))).toBeUndefined()
})

test('a bus that refuses, or is stopped, keeps nobody from quitting', async () => {
  const refused: Envelope = { ok: false, error: { code: 'internal_error', message: 'x' } }
  expect(await findQuitQuestion(busWith({ 'intents.list': refused, 'intents.count': refused }))).toBeUndefined()
  expect(await findQuitQuestion(busWith({}, false))).toBeUndefined()
})

test('a count that fails does not hide the leases', async () => {
  const question = await findQuitQuestion(
    busWith({
      'intents.list': { ok: true, value: { rows: [LEASE, LEASE], next: null } },
      'intents.count': { ok: false, error: { code: 'internal_error', message: 'x' } }
    })
  )
  expect(question?.message).toBe('2 intents are being worked on.')
})
