import { expect, test } from 'vitest'
import { MAX_AGE, MAX_ENTRIES, MAX_GATHERED_ENTRIES } from '../../src/main/bus/audit.ts'
import type { AuditEvent, AuditView } from '../../src/shared/control/network-views.ts'
import { TestBus } from '../support/test-bus.ts'

function note(t: TestBus, event: AuditEvent, subject = '', address = '10.0.0.2'): void {
  t.bus.audit.note({ event, actor: 'password', address, subject })
}

/** All that was noted is on disk. */
async function written(t: TestBus): Promise<void> {
  await Promise.all([t.bus.notesWritten(), t.clock.advance(0.1)])
}

/** The trail, oldest first. */
async function trail(t: TestBus): Promise<AuditView[]> {
  await written(t)
  return (await t.bus.reader.ask('audit', undefined, 500)).entries.toReversed() as AuditView[]
}

test('a note rides with the next transaction', async () => {
  await using t = new TestBus()
  note(t, 'key.created', 'key_1')
  expect(t.rows('SELECT * FROM audit')).toEqual([])
  await t.publish()
  expect(t.rows('SELECT * FROM audit')).toEqual([
    { n: 1, at: t.clock.now(), event: 'key.created', actor: 'password', address: '10.0.0.2', subject: 'key_1', detail: '' }
  ])
})

test('a note is on disk within a second where nothing else is written, and survives a crash from then on', async () => {
  await using t = new TestBus()
  await t.publish()
  // Something that would wait for half a minute.
  t.bus.admit(t.bus.keys.byId('main')!, '10.0.0.2')
  note(t, 'login')
  await t.clock.advance(1)
  expect(t.rows('SELECT event FROM audit')).toEqual([{ event: 'login' }])
  await using crashed = new TestBus({}, { crashed: t })
  expect(await trail(crashed)).toMatchObject([{ event: 'login' }])
})

test('notes that nothing was written with yet are written at the end', async () => {
  await using t = new TestBus()
  note(t, 'password.changed')
  await t.restart()
  expect(await trail(t)).toMatchObject([{ n: 1, event: 'password.changed' }])
})

test('notes of a transaction that came to nothing are not lost and not doubled', async () => {
  let fails = true
  await using t = new TestBus({ onRollback: () => (fails = false) })
  note(t, 'key.created', 'a')
  // What rides behind it breaks the transaction in which it has got its row.
  t.bus.keys.ride = () => {
    if (fails) throw new Error('a fault')
  }
  await expect(t.bus.setPaused(true)).rejects.toThrow('a fault')
  note(t, 'key.revoked', 'a')
  await t.bus.setPaused(false)
  expect(await trail(t)).toMatchObject([
    { n: 1, event: 'key.created' },
    { n: 2, event: 'key.revoked' }
  ])
})

test('attempts from one address are one entry a minute, with their number', async () => {
  await using t = new TestBus()
  for (let i = 0; i < 4; i++) note(t, 'login.failed')
  await t.publish()
  for (let i = 0; i < 3; i++) note(t, 'login.failed')
  note(t, 'login.failed', '', '10.0.0.3')
  note(t, 'pairing.wrong')
  await t.clock.advance(59)
  note(t, 'login.failed')
  await t.clock.advance(1)
  note(t, 'login.failed')
  expect((await trail(t)).map(({ event, address, detail }) => `${event} ${address} ${detail}`)).toEqual([
    'login.failed 10.0.0.2 8',
    'login.failed 10.0.0.3 1',
    'pairing.wrong 10.0.0.2 1',
    'login.failed 10.0.0.2 1'
  ])
})

test('many addresses make few entries', async () => {
  await using t = new TestBus()
  for (let i = 0; i < 500; i++) note(t, 'login.failed', '', `2001:db8::${i.toString(16)}`)
  const entries = await trail(t)
  expect(entries).toHaveLength(11)
  expect(entries.at(-1)).toMatchObject({ address: 'other addresses', detail: '490' })
})

test('the trail is read in pages, newest first', async () => {
  await using t = new TestBus()
  for (let i = 0; i < 25; i++) note(t, 'key.created', String(i))
  await written(t)
  const subjects: string[] = []
  let before: number | undefined
  do {
    const { entries, next } = await t.bus.reader.ask('audit', before, 10)
    expect(entries.length).toBe(subjects.length === 20 ? 5 : 10)
    subjects.push(...entries.map(({ subject }) => subject))
    before = next ?? undefined
  } while (before !== undefined)
  expect(subjects).toEqual(Array.from({ length: 25 }, (_, i) => String(24 - i)))
})

test('cleanup keeps ten thousand entries of the last 180 days, and what strangers did cannot push them out', async () => {
  await using t = new TestBus()
  const cleanup = () => Promise.all([t.bus.cleanup(), t.clock.advance(60)])
  const count = () => t.rows<{ count: number }>('SELECT count(*) AS count FROM audit')[0]!.count
  note(t, 'bus.started', 'old')
  await t.clock.advance(MAX_AGE - 100)
  for (let i = 0; i < 300; i++) note(t, 'key.created', String(i))
  for (let i = 0; i < MAX_GATHERED_ENTRIES + 50; i++) {
    note(t, 'login.failed', String(i), `10.0.${i >> 8}.${i & 255}`)
    // Each in a minute of its own.
    t.clock.jump(-61)
  }
  t.clock.jump(61 * (MAX_GATHERED_ENTRIES + 50))
  await written(t)
  expect(count()).toBe(1 + 300 + MAX_GATHERED_ENTRIES + 50)
  await cleanup()
  expect(count()).toBe(1 + 300 + MAX_GATHERED_ENTRIES)
  expect(t.rows(`SELECT subject FROM audit WHERE event = 'login.failed' ORDER BY n LIMIT 1`)).toEqual([{ subject: '50' }])
  await t.clock.advance(100)
  await cleanup()
  expect(t.rows(`SELECT * FROM audit WHERE event = 'bus.started'`)).toEqual([])
  for (let i = 0; i < MAX_ENTRIES; i++) note(t, 'key.changed', String(i))
  await written(t)
  await cleanup()
  expect(count()).toBe(MAX_ENTRIES)
  expect(t.rows(`SELECT subject FROM audit ORDER BY n LIMIT 1`)).toEqual([{ subject: '0' }])
})

test('texts that are too long are cut', async () => {
  await using t = new TestBus()
  note(t, 'key.created', 'x'.repeat(1_000))
  expect((await trail(t))[0]!.subject).toBe('x'.repeat(200))
})
