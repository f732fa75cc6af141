import { expect, test } from 'vitest'
import { BusProcess } from '../support/bus-process.ts'
import { temporaryFolder } from '../support/folders.ts'
import { ask, type HttpAnswer } from '../support/http-client.ts'

const INTENTS = 600
const WORKERS = 40

test('many workers at once: no intent is claimed twice and none is lost', { timeout: 60_000 }, async () => {
  using folder = temporaryFolder()
  await using bus = await BusProcess.start(folder.path)
  const key = bus.mainKey
  const post = (path: string, body: unknown = ''): Promise<HttpAnswer> =>
    ask(bus.url, { method: 'POST', path, headers: { 'X-API-KEY': key }, body })

  const published = new Set<string>()
  const publishing = Promise.all(
    Array.from({ length: INTENTS }, async (_, n) => {
      const { json } = await post('/intent', { goal: 'share', payload: n, priority: n % 7 })
      published.add(json.id as string)
    })
  )
  const claims: string[] = []
  const payloads = new Set<number>()
  const worker = async (): Promise<void> => {
    for (let idle = 0; idle < 20; ) {
      const claimed = await post('/claim?goal=share')
      if (claimed.status === 204) {
        idle++
        await new Promise((resolve) => setTimeout(resolve, 10))
        continue
      }
      idle = 0
      expect(claimed.status).toBe(200)
      const { id, claim_token, payload } = claimed.json
      claims.push(id)
      payloads.add(payload)
      expect((await post(`/fulfill/${id}`, { claim_token })).status).toBe(200)
    }
  }
  await Promise.all([publishing, ...Array.from({ length: WORKERS }, worker)])
  expect(published.size).toBe(INTENTS)
  expect(claims).toHaveLength(INTENTS)
  expect(new Set(claims)).toEqual(published)
  expect(payloads.size).toBe(INTENTS)
})

test('the same Idempotency-Key at once from many sides makes one intent', async () => {
  using folder = temporaryFolder()
  await using bus = await BusProcess.start(folder.path)
  const headers = { 'X-API-KEY': bus.mainKey, 'Idempotency-Key': 'order-9982' }
  const answers = await Promise.all(
    Array.from({ length: 50 }, (_, n) => {
      const body = n % 2 === 0 ? '{"goal":"charge","payload":{"a":1,"b":2}}' : '{"payload":{"b":2,"a":1}, "goal":"charge"}'
      return ask(bus.url, { method: 'POST', path: '/intent', headers, body })
    })
  )
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([201]))
  expect(new Set(answers.map(({ text }) => text)).size).toBe(1)
})
