import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { MAX_CRASHES, StartRecord } from '../../src/main/start-record.ts'
import { BusProcess } from '../support/bus-process.ts'
import { temporaryFolder } from '../support/folders.ts'
import { HandClock } from '../support/hand-clock.ts'
import { ask } from '../support/http-client.ts'

describe('the record of starts', () => {
  test('counts those that crashed soon, and forgets them after one that went well', async () => {
    using folder = temporaryFolder()
    const path = join(folder.path, 'starts.json')
    const clock = new HandClock()
    for (let i = 0; i < MAX_CRASHES; i++) {
      const crashed = new StartRecord(path, clock)
      expect([i, crashed.isCareful]).toEqual([i, false])
    }
    const careful = new StartRecord(path, clock)
    expect(careful.isCareful).toBe(true)
    careful.begun()
    await clock.advance(119)
    expect(new StartRecord(path, clock).isCareful).toBe(true)
    careful.begun()
    await clock.advance(121)
    expect(new StartRecord(path, clock).crashes).toBe(0)
  })

  test('an end in order is no crash', () => {
    using folder = temporaryFolder()
    const path = join(folder.path, 'starts.json')
    for (let i = 0; i < 10; i++) new StartRecord(path, new HandClock()).ended()
    expect(new StartRecord(path, new HandClock()).crashes).toBe(0)
  })

  test.each(['', 'null', '{"crashes":"many"}', '{"crashes":-4}'])('what cannot be read tells nothing: %s', (text) => {
    using folder = temporaryFolder()
    const path = join(folder.path, 'starts.json')
    writeFileSync(path, text)
    expect(new StartRecord(path, new HandClock()).crashes).toBe(0)
  })
})

test('a bus that is killed at every start comes up without what may be to blame, and says so', { timeout: 60_000 }, async () => {
  using folder = temporaryFolder()
  for (let i = 0; i < MAX_CRASHES; i++) {
    const bus = await BusProcess.start(folder.path)
    await bus.kill('SIGKILL')
  }
  await using careful = await BusProcess.start(folder.path)
  expect(careful.stderr).toContain(`ended by itself ${MAX_CRASHES} times in a row`)
  const credentials = Buffer.from(`admin:${careful.password}`).toString('base64')
  const headers = { Authorization: `Basic ${credentials}` }
  const { json } = await ask(careful.url, { method: 'POST', path: '/admin/control/status.get', headers, body: {} })
  expect(JSON.stringify(json)).toContain('without sharing, cleanup and backups')
  const published = await ask(careful.url, { method: 'POST', path: '/intent', headers: { 'X-API-KEY': careful.mainKey }, body: { goal: 'g', payload: {} } })
  expect(published.status).toBe(201)
  await careful.kill('SIGTERM')
  expect(JSON.parse(readFileSync(join(folder.path, 'starts.json'), 'utf8'))).toEqual({ crashes: 0 })
  await using next = await BusProcess.start(folder.path)
  expect(next.stderr).not.toContain('times in a row')
})
