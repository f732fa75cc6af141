import { expect, test } from 'vitest'
import { EventStream } from '../control/event-stream.ts'
import { ADMIN_TOKEN, TestServer } from '../support/test-server.ts'

const CREDENTIALS = { 'X-Admin-Token': ADMIN_TOKEN }

test.each([
  ['first', {}, 0],
  ['again, as browsers do after a broken connection,', { 'Last-Event-ID': '0' }, 1]
])('a page that follows %s is told whether it may have missed something', async (_when, headers, missed) => {
  await using server = await TestServer.start({ isClockReal: true })
  using events = await EventStream.open(server.url, { ...CREDENTIALS, ...headers })
  expect(await events.frame(() => true)).toMatchObject({ changes: [], missed })
})

test('a pause by the endpoint for scripts is told to pages, too', async () => {
  await using server = await TestServer.start({ isClockReal: true })
  using events = await EventStream.open(server.url, CREDENTIALS)
  await events.frame(() => true)
  for (const [path, isPaused] of [['/admin/pause', true], ['/admin/resume', false]] as const) {
    const answer = await server.admin(path, undefined, 'POST')
    expect([answer.status, answer.json]).toEqual([200, { ok: true, paused: isPaused }])
    await events.frame(({ status }) => status?.isPaused === isPaused)
  }
})

test('what was told while nobody listened is not told later, when it may be wrong', async () => {
  await using server = await TestServer.start({ isClockReal: true })
  await server.admin('/admin/pause', undefined, 'POST')
  using events = await EventStream.open(server.url, CREDENTIALS)
  await events.frame(() => true)
  const id = await server.publish()
  const frame = await events.frame(({ changes }) => changes.some((change) => change.id === id))
  expect(frame).not.toHaveProperty('status')
})
