import { expect, test } from 'vitest'
import { BASIC, MAIN_KEY, PASSWORD, TestServer } from '../support/test-server.ts'
import { deadIntent, refusalWithMessage, SPEC_HEADERS } from './steps.ts'

const OPEN = { path: '/admin/dashboard', headers: { Authorization: BASIC } }

test('the dashboard is a page of HTML with the headers of every answer', async () => {
  await using server = await TestServer.start()
  const answer = await server.ask(OPEN)
  expect(answer.status).toBe(200)
  expect(answer.headers['content-type']).toMatch(/^text\/html\b/)
  expect(answer.headers).toMatchObject(SPEC_HEADERS)
  expect(answer.text).toMatch(/^<!doctype html>/i)
})

test('the dashboard without credentials makes a browser ask for them', async () => {
  await using server = await TestServer.start()
  const answer = await server.ask({ path: '/admin/dashboard', headers: { Accept: 'text/html' } })
  expect(refusalWithMessage(answer)).toBe('401 unauthorized: Authentication required.')
  expect(answer.headers['www-authenticate']).toBe('Basic realm="IntentBus Admin"')
})

test('the dashboard shows recent intents, dead letters and keys', async () => {
  await using server = await TestServer.start()
  const open = await server.publish({ goal: 'goal-of-the-open-one', namespace: 'my-ns' })
  const dead = await deadIntent(server, { goal: 'goal-of-the-dead-one' }, 'reason-of-the-death')
  await server.newKey('owner-of-a-key')
  const { text } = await server.ask(OPEN)
  for (const part of [open, dead, 'goal-of-the-open-one', 'my-ns', 'reason-of-the-death', 'owner-of-a-key']) {
    expect(text).toContain(part)
  }
})

test('the dashboard changes with the queue', async () => {
  await using server = await TestServer.start()
  const before = (await server.ask(OPEN)).text
  await server.publish()
  expect((await server.ask(OPEN)).text).not.toBe(before)
})

test('what clients send is shown as text and never as HTML', async () => {
  await using server = await TestServer.start()
  const evil = `<script>alert('"&')</script>`
  await deadIntent(server, { goal: `<img src=x>` }, evil)
  await server.publish({ goal: evil })
  await server.admin('/admin/generate_key', { owner: evil })
  const { text } = await server.ask(OPEN)
  expect(text).not.toContain('<script>alert')
  expect(text).not.toContain('<img')
  expect(text).toContain('&lt;script&gt;')
})

test('the dashboard shows no secret', async () => {
  await using server = await TestServer.start()
  const key = await server.newKey('alice')
  await server.publish({}, key)
  const { text } = await server.ask(OPEN)
  for (const secret of [key, MAIN_KEY, PASSWORD]) expect(text).not.toContain(secret)
})
