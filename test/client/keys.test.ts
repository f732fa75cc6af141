import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, test, vi } from 'vitest'
import { IntentBusAuthError, IntentClient, type ClientOptions } from '../../src/main/client/index.ts'
import { IntentClient as WebClient } from '../../src/shared/client/index.ts'
import { temporaryFolder } from '../support/folders.ts'
import { FaultyProxy } from './faulty-proxy.ts'

afterEach(() => vi.unstubAllEnvs())

type Make = (options: ClientOptions) => WebClient

/** The key that a client sends, and what it warned of. */
async function keyOf(make: Make): Promise<{ key: unknown; warnings: string[] }> {
  await using proxy = await FaultyProxy.start('http://127.0.0.1:9', () => ({ status: 200, body: '{"value":1}' }))
  const warnings: string[] = []
  await make({ baseUrl: proxy.url, tracing: false, onWarning: (message) => void warnings.push(message) }).get('x')
  return { key: proxy.seen[0]!.headers['x-api-key'], warnings }
}

function home(files: Readonly<Record<string, string>>, mode = 0o600): { readonly path: string } & Disposable {
  const folder = temporaryFolder()
  for (const [name, text] of Object.entries(files)) {
    writeFileSync(join(folder.path, name), text)
    chmodSync(join(folder.path, name), mode)
  }
  vi.stubEnv('HOME', folder.path)
  vi.stubEnv('USERPROFILE', folder.path)
  vi.stubEnv('INTENT_API_KEY', '')
  return folder
}

test('a key is looked for in the options, the environment and ~/.apikey, in this order', async () => {
  using folder = home({ '.apikey': 'from-home\n', other: ' from-file\r\n' })
  expect(await keyOf((options) => new IntentClient(options))).toEqual({ key: 'from-home', warnings: [] })
  vi.stubEnv('INTENT_API_KEY', 'from-environment')
  expect((await keyOf((options) => new IntentClient(options))).key).toBe('from-environment')
  expect((await keyOf((options) => new WebClient(options))).key).toBe('from-environment')
  const keyFile = join(folder.path, 'other')
  expect((await keyOf((options) => new IntentClient({ ...options, keyFile }))).key).toBe('from-file')
  expect((await keyOf((options) => new IntentClient({ ...options, keyFile, apiKey: 'given' }))).key).toBe('given')
})

test.runIf(process.platform !== 'win32')('a key file that others may read is told, with the cure', async () => {
  using folder = home({ '.apikey': 'from-home' }, 0o644)
  const { warnings } = await keyOf((options) => new IntentClient(options))
  expect(warnings).toEqual([expect.stringContaining(`chmod 600 ${join(folder.path, '.apikey')}`)])
})

test('without a key there is no client', () => {
  using folder = home({ empty: '\n' })
  const make = (options: ClientOptions) => () => new IntentClient(options)
  expect(make({})).toThrow(IntentBusAuthError)
  expect(make({ apiKey: '' })).toThrow(IntentBusAuthError)
  expect(make({ keyFile: join(folder.path, 'empty') })).toThrow(/is empty/)
  expect(make({ keyFile: join(folder.path, 'absent') })).toThrow(/cannot be read/)
  expect(() => new WebClient()).toThrow(/INTENT_API_KEY/)
})

test('the bus is where the environment says, else on this machine', () => {
  vi.stubEnv('INTENT_BUS_URL', 'http://bus.local:7610/')
  expect(new IntentClient({ apiKey: 'k' }).baseUrl).toBe('http://bus.local:7610')
  expect(new IntentClient({ apiKey: 'k', baseUrl: 'http://other.local' }).baseUrl).toBe('http://other.local')
  vi.stubEnv('INTENT_BUS_URL', '')
  expect(new IntentClient({ apiKey: 'k' }).baseUrl).toBe('http://127.0.0.1:7610')
})
