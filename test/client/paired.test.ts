import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeEach, expect, test, vi } from 'vitest'
import { IntentBusNetworkError, IntentClient, type PairedBus } from '../../src/main/client/index.ts'
import { NO_LIMITS } from '../../src/shared/scope.ts'
import { temporaryFolder } from '../support/folders.ts'
import { MAIN_KEY, TestServer } from '../support/test-server.ts'
import { rejection } from './rig.ts'

/** What the client takes from this machine: variables, and buses that it is paired with. */

const OTHER_PIN = `sha256//${'A'.repeat(43)}=`
const server = await TestServer.start({ isClockReal: true, sharedAt: '127.0.0.2' })
const url = server.sharing.urls[0]!
const { pin, rootPem } = server.sharing.identity!

afterAll(() => server[Symbol.asyncDispose]())

let home: ReturnType<typeof temporaryFolder>
beforeEach(() => {
  home = temporaryFolder()
  vi.stubEnv('HOME', home.path)
  vi.stubEnv('INTENT_API_KEY', MAIN_KEY)
})
afterEach(() => {
  vi.unstubAllEnvs()
  home[Symbol.dispose]()
})

function pairWith(given: Partial<PairedBus> = {}): void {
  const attic: PairedBus = { url, urls: [url], pin, ca: rootPem, key: MAIN_KEY, keyId: 'main', limits: NO_LIMITS, pairedAt: 0, ...given }
  mkdirSync(join(home.path, '.intent-bus'))
  writeFileSync(join(home.path, '.intent-bus', 'buses.json'), JSON.stringify({ version: 1, buses: { attic } }))
}

test('by the pin, or the root, of the environment', async () => {
  const unknown = await rejection(new IntentClient({ baseUrl: url }).publish('greet', {}))
  expect(unknown).toBeInstanceOf(IntentBusNetworkError)
  vi.stubEnv('INTENT_BUS_PIN', pin)
  expect(await new IntentClient({ baseUrl: url }).publish('greet', {})).toMatchObject({ id: expect.any(String) })
  vi.stubEnv('INTENT_BUS_PIN', OTHER_PIN)
  expect((await rejection(new IntentClient({ baseUrl: url }).publish('greet', {}))).message).toContain('not the pinned one')
  vi.stubEnv('INTENT_BUS_PIN', '')
  vi.stubEnv('INTENT_BUS_CA', join(home.path, 'root.pem'))
  writeFileSync(join(home.path, 'root.pem'), rootPem)
  expect(await new IntentClient({ baseUrl: url }).publish('greet', {})).toMatchObject({ id: expect.any(String) })
})

test('what the program says itself comes before the environment, which is not asked for plain HTTP', async () => {
  vi.stubEnv('INTENT_BUS_PIN', OTHER_PIN)
  expect(await new IntentClient({ baseUrl: url, tls: { pin } }).publish('greet', {})).toMatchObject({ id: expect.any(String) })
  expect(await new IntentClient({ baseUrl: server.url }).publish('greet', {})).toMatchObject({ id: expect.any(String) })
  const carry = async () => Response.json({ error: { code: 'https_required', message: 'Carried by this.' } }, { status: 403 })
  expect((await rejection(new IntentClient({ baseUrl: url, fetch: carry }).publish('greet', {}))).message).toContain('Carried by this.')
})

test('a paired bus brings its address, its key and its pin', async () => {
  pairWith()
  vi.stubEnv('INTENT_API_KEY', 'of another bus')
  vi.stubEnv('INTENT_BUS_URL', 'http://127.0.0.1:1')
  const client = new IntentClient({ bus: 'attic' })
  expect(client.baseUrl).toBe(url)
  expect(await client.publish('greet', {})).toMatchObject({ id: expect.any(String) })
  expect(() => new IntentClient({ bus: 'attic', apiKey: 'k' })).toThrow('bus and apiKey do not go together')
  expect(() => new IntentClient({ bus: 'cellar' })).toThrow('no bus called cellar')
})

test('another machine at its address is told nothing', async () => {
  pairWith({ pin: OTHER_PIN })
  expect((await rejection(new IntentClient({ bus: 'attic' }).publish('greet', {}))).message).toContain('not the pinned one')
})

test('a file that is not whole is refused', () => {
  pairWith({ url: 'nowhere' })
  expect(() => new IntentClient({ bus: 'attic' })).toThrow('cannot be used: something is missing in it')
})
