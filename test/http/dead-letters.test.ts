import { expect, test } from 'vitest'
import { TestServer } from '../support/test-server.ts'
import { claimed, deadIntent, lease, purge, refusal } from './steps.ts'

test('without dead letters the list is empty', async () => {
  await using server = await TestServer.start()
  const answer = await server.admin('/admin/dead')
  expect(answer.status).toBe(200)
  expect(answer.json).toEqual([])
})

test('a dead letter tells what died, when and why, and its detail adds the payload', async () => {
  await using server = await TestServer.start()
  const id = await deadIntent(server, { goal: 'resize', payload: { w: 1 } }, 'no such file')
  const letter = {
    intent_id: id,
    namespace: 'default',
    goal: 'resize',
    attempts: 1,
    reason: 'no such file',
    created_at: server.clock.now()
  }
  expect((await server.admin('/admin/dead')).json).toEqual([letter])
  expect((await server.admin(`/admin/dead/${id}`)).json).toEqual({ ...letter, payload: { w: 1 } })
})

test('an intent that died with its lease and one that was cancelled have a reason, too', async () => {
  await using server = await TestServer.start()
  const { id: expired } = await lease(server, { max_attempts: 1 })
  await server.clock.advance(60)
  const cancelled = await server.publish()
  await server.clock.advance(1)
  await server.admin(`/admin/intents/${cancelled}/cancel`, {})
  const reason = expect.stringMatching(/\S/)
  expect((await server.admin('/admin/dead')).json).toMatchObject([
    { intent_id: cancelled, attempts: 0, reason },
    { intent_id: expired, attempts: 1, reason }
  ])
})

test('the list has the 100 most recent, newest first', async () => {
  await using server = await TestServer.start()
  const ids: string[] = []
  for (let i = 0; i < 103; i++) {
    const id = await server.publish()
    await server.admin(`/admin/intents/${id}/cancel`, {})
    await server.clock.advance(1)
    ids.push(id)
  }
  const letters = (await server.admin('/admin/dead')).json as { intent_id: string }[]
  expect(letters.map(({ intent_id }) => intent_id)).toEqual(ids.toReversed().slice(0, 100))
  expect((await server.admin(`/admin/dead/${ids[0]}`)).status).toBe(200)
})

test('newest is what died last, not what was published last', async () => {
  await using server = await TestServer.start()
  const first = await server.publish()
  const second = await server.publish()
  await server.admin(`/admin/intents/${second}/cancel`, {})
  await server.clock.advance(1)
  await server.admin(`/admin/intents/${first}/cancel`, {})
  expect((await server.admin('/admin/dead')).json).toMatchObject([{ intent_id: first }, { intent_id: second }])
})

test('a dead letter is not claimed until it is retried', async () => {
  await using server = await TestServer.start()
  const id = await deadIntent(server)
  await server.clock.advance(3600)
  expect(await claimed(server)).toBe(204)
  await server.admin(`/admin/intents/${id}/retry`, {})
  expect((await server.admin('/admin/dead')).json).toEqual([])
  expect(await claimed(server)).toBe(id)
})

test('what is not dead has no dead letter: 404', async () => {
  await using server = await TestServer.start()
  const open = await server.publish()
  for (const id of [open, '0'.repeat(32), 'x']) {
    expect(refusal(await server.admin(`/admin/dead/${id}`))).toBe('404 not_found')
  }
})

test('a purged dead letter is gone', async () => {
  await using server = await TestServer.start()
  const id = await deadIntent(server)
  await purge(server, { confirm: true })
  expect(refusal(await server.admin(`/admin/dead/${id}`))).toBe('404 not_found')
})
