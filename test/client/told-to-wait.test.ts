import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { IntentClient } from '../../src/main/client/index.ts'

/** Seconds that somebody in between says, and the seconds after which who must go on tries again all the same. */
const FOR_EVER = { 'Retry-After': '999999999' }
const LONGEST = 121

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const CLAIMED = JSON.stringify({
  id: 'f'.repeat(32),
  namespace: 'default',
  goal: 'g',
  payload: 1,
  claim_attempts: 1,
  claim_token: 't',
  claim_timeout: 3600
})

interface Row {
  readonly name: string
  readonly endpoint: string
  readonly answer: () => Response
}

test.each<Row>([
  { name: 'a claim, by a refusal', endpoint: '/claim', answer: () => new Response(null, { status: 429, headers: FOR_EVER }) },
  { name: 'a claim, by an answer', endpoint: '/claim', answer: () => new Response(null, { status: 204, headers: FOR_EVER }) },
  {
    name: 'a claim, by a bus that knows waiting',
    endpoint: '/claim',
    answer: () => new Response(null, { status: 204, headers: { ...FOR_EVER, 'X-Intent-Wait': '0' } })
  },
  { name: 'a result', endpoint: '/fulfill', answer: () => new Response(null, { status: 503, headers: FOR_EVER }) },
  { name: 'an extension', endpoint: '/extend_claim', answer: () => new Response(null, { status: 503, headers: FOR_EVER }) }
])('a worker that is told to wait for ever with $name tries again after two minutes', async ({ endpoint, answer }) => {
  const times: number[] = []
  let isClaimed = false
  const client = new IntentClient({
    baseUrl: 'http://127.0.0.1:1',
    apiKey: 'k',
    sign: false,
    tracing: false,
    async fetch(input) {
      const path = new URL(String(input)).pathname
      if (path.startsWith(endpoint)) {
        times.push(performance.now() / 1000)
        return answer()
      }
      if (path !== '/claim') return new Response('{}')
      if (isClaimed) return new Promise(() => {})
      isClaimed = true
      return new Response(CLAIMED)
    }
  })
  const handler = (): unknown => (endpoint === '/extend_claim' ? new Promise(() => {}) : 'done')
  const worker = client.worker({ goal: 'g', handler, onError: () => {} })
  const running = worker.run()
  // The first extension is due after a third of the lease.
  await vi.advanceTimersByTimeAsync((1200 + LONGEST) * 1000)
  expect(times.length).toBeGreaterThanOrEqual(2)
  expect(times[1]! - times[0]!).toBeGreaterThanOrEqual(120)
  expect(times[1]! - times[0]!).toBeLessThanOrEqual(LONGEST)
  const stopped = worker.stop({ handBack: true })
  await vi.advanceTimersByTimeAsync(10_000)
  await Promise.all([stopped, running])
})
