import Database from 'better-sqlite3'
import { expect, test } from 'vitest'
import { TestServer } from '../support/test-server.ts'
import { askSigned } from './signed.ts'
import { claim, claimed, fulfill, lease, refusal } from './steps.ts'

/** Holds the database's write lock, as a backup program might, until disposed. */
function holdDatabase({ databasePath }: TestServer): Disposable {
  const db = new Database(databasePath)
  db.exec('BEGIN IMMEDIATE')
  return { [Symbol.dispose]: () => void db.close() }
}

test('while another program holds the database a change is 503 and may be repeated', async () => {
  await using server = await TestServer.start()
  const taken = await lease(server)
  {
    using _ = holdDatabase(server)
    expect(refusal(await server.post('/intent', { goal: 'g', payload: 1 }))).toBe('503 database_busy')
    expect(refusal(await fulfill(server, taken))).toBe('503 database_busy')
    expect(refusal(await server.post('/set/k', { value: 1 }))).toBe('503 database_busy')
    expect(refusal(await server.admin('/admin/generate_key', { owner: 'alice' }))).toBe('503 database_busy')
  }
  expect((await fulfill(server, taken)).status).toBe(200)
  expect(await claimed(server)).toBe(204)
})

test('while another program holds the database a claim gets nothing', async () => {
  await using server = await TestServer.start()
  const id = await server.publish()
  {
    using _ = holdDatabase(server)
    const answer = await server.post('/claim')
    expect([answer.status, answer.headers['retry-after']]).toEqual([204, '1'])
  }
  expect(await claim(server)).toMatchObject({ id, claim_attempts: 1 })
})

test('reading goes on while another program holds the database', async () => {
  await using server = await TestServer.start()
  const id = await server.publish()
  await server.post('/set/k', { value: 1 })
  using _ = holdDatabase(server)
  expect((await server.get(`/status/${id}`)).json).toMatchObject({ status: 'open' })
  expect((await server.get('/get/k')).json).toEqual({ value: 1 })
  expect((await server.admin('/admin/dead')).json).toEqual([])
})

test('a nonce is free again when its change came to nothing', async () => {
  await using server = await TestServer.start()
  const request = { path: '/intent', body: '{"goal":"g","payload":1}', nonce: 'mine' }
  {
    using _ = holdDatabase(server)
    expect(refusal(await askSigned(server, request))).toBe('503 database_busy')
  }
  expect((await askSigned(server, request)).status).toBe(201)
  expect((await askSigned(server, request)).status).toBe(403)
})

test('an Idempotency-Key is free again when its change came to nothing', async () => {
  await using server = await TestServer.start()
  const once = { 'Idempotency-Key': 'one' }
  {
    using _ = holdDatabase(server)
    expect(refusal(await server.post('/intent', { goal: 'a', payload: 1 }, once))).toBe('503 database_busy')
  }
  expect((await server.post('/intent', { goal: 'b', payload: 2 }, once)).status).toBe(201)
})
