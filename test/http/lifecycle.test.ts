import { expect, test } from 'vitest'
import { TestServer } from '../support/test-server.ts'

test('an intent is published, claimed and fulfilled, and its publisher reads the result', async () => {
  await using server = await TestServer.start()
  const published = await server.post('/intent', { goal: 'resize', payload: { width: 10 } })
  expect(published.status).toBe(201)
  expect(published.json).toEqual({ id: expect.stringMatching(/^[0-9a-f]{32}$/), status: 'published', namespace: 'default' })

  const claimed = await server.post('/claim?goal=resize')
  expect(claimed.status).toBe(200)
  expect(claimed.json).toEqual({
    id: published.json.id,
    namespace: 'default',
    goal: 'resize',
    payload: { width: 10 },
    claim_attempts: 1,
    priority: 100,
    target_worker: null,
    required_capability: null,
    claim_token: expect.stringMatching(/^[0-9a-f]{32}$/),
    claim_timeout: 60
  })

  const { id, claim_token } = claimed.json
  const fulfilled = await server.post(`/fulfill/${id}`, { claim_token, result: { ok: 1 } })
  expect(fulfilled.json).toEqual({ ok: true, id })

  const result = await server.get(`/result/${id}`)
  expect(result.json).toMatchObject({ status: 'fulfilled', result: { ok: 1 }, result_type: 'json', claim_expires_at: null })
})
