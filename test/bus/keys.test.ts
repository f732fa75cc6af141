import { expect, test } from 'vitest'
import { MAIN, TestBus } from '../support/test-bus.ts'

test('a key that was renamed works on, under its new name, over a restart', async () => {
  await using t = new TestBus()
  const { key, secret } = await t.bus.createKey('pi')
  await t.bus.renameKey(key.id, 'the pi in the attic')
  const renamed = { ...key, owner: 'the pi in the attic' }
  expect([t.bus.keys.identify(secret), t.bus.keys.byId(key.id)]).toEqual([renamed, renamed])
  await t.restart()
  expect([t.bus.keys.identify(secret), t.bus.keys.byId(key.id)]).toEqual([renamed, renamed])
})

test('only keys that are there can be renamed, and not the main one', async () => {
  await using t = new TestBus()
  const { key, secret } = await t.bus.createKey('pi')
  await expect(t.bus.renameKey('main', 'x')).rejects.toMatchObject({ status: 400 })
  await expect(t.bus.renameKey('key_0000000000000000', 'x')).rejects.toMatchObject({ status: 404 })
  await t.bus.revokeKey(secret)
  await expect(t.bus.renameKey(key.id, 'x')).rejects.toMatchObject({ status: 404 })
  expect(t.bus.keys.byId(key.id)).toBeUndefined()
  expect(t.bus.keys.byId('main')).toEqual(MAIN)
})

test('requests of the main key are counted like those of any other', async () => {
  await using t = new TestBus()
  t.bus.admit(MAIN, '10.0.0.2')
  t.bus.admit(MAIN, '10.0.0.3')
  const at = t.clock.now()
  await t.clock.advance(31)
  expect(t.rows('SELECT id, requests, last_used_at, last_address FROM keys')).toEqual([
    { id: 'main', requests: 2, last_used_at: at, last_address: '10.0.0.3' }
  ])
})
