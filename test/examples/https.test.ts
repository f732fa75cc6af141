import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { temporaryFolder } from '../support/folders.ts'
import { MAIN_KEY, TestServer } from '../support/test-server.ts'
import { LANGUAGES, Starter, type Language } from './starter.ts'

/** Workers of a bus that is shared over HTTPS, by a certificate that no system trusts. */

const OTHER_PIN = `sha256//${'A'.repeat(43)}=`

const IDS = [...LANGUAGES, 'python-sdk'] as const
type Id = (typeof IDS)[number]

/** A bus, its root in a file, and what a starter is told of it. */
async function sharedBus() {
  const folder = temporaryFolder()
  const server = await TestServer.start({ isClockReal: true, sharedAt: '127.0.0.2', allowTokenless: true })
  const { rootPem, pin } = server.sharing.identity!
  const root = join(folder.path, 'root.pem')
  writeFileSync(root, rootPem)
  const url = server.sharing.urls[0]!
  return {
    server,
    pin,
    root,
    start: (id: Id, given: object) => new Starter(id, { url, key: MAIN_KEY, ...given }),
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]()
      folder[Symbol.dispose]()
    }
  }
}

async function isWorkedOn(server: TestServer): Promise<void> {
  const id = await server.publish({ goal: 'greet', payload: { name: 'Ada' } })
  await expect.poll(async () => (await server.get(`/status/${id}`)).json.status, { timeout: 15_000 }).toBe('fulfilled')
}

test.each(IDS)('%s works by the root that a variable names', async (id) => {
  await using bus = await sharedBus()
  await using starter = bus.start(id, { env: { INTENT_BUS_CA: bus.root } })
  await isWorkedOn(bus.server)
  expect(starter.output).not.toContain(MAIN_KEY)
})

const PIN_LINES: Readonly<Record<'bash' | 'typescript', (pin: string) => readonly [string, string]>> = {
  bash: (pin) => ['\nPIN=\n', `\nPIN=${pin}\n`],
  typescript: (pin) => ["const BUS_PIN = ''", `const BUS_PIN = '${pin}'`]
}

test.each(['bash', 'typescript'] as const)('%s works by the pin that stands in it', async (id) => {
  await using bus = await sharedBus()
  await using _starter = bus.start(id, { changes: [PIN_LINES[id](bus.pin)] })
  await isWorkedOn(bus.server)
})

test.each<[Language, Readonly<Record<string, string>>]>([
  ['bash', {}],
  ['python', {}],
  ['typescript', {}],
  ['bash', { INTENT_BUS_PIN: OTHER_PIN }],
  ['typescript', { INTENT_BUS_PIN: OTHER_PIN }]
])('%s asks nobody for work whom it does not know, with %j', async (id, env) => {
  await using bus = await sharedBus()
  await using starter = bus.start(id, { env })
  await expect.poll(() => starter.output, { timeout: 15_000 }).toMatch(/no answer|does not answer|certificate|not the pinned one/i)
  await bus.server.bus.notesWritten()
  expect((await bus.server.bus.reader.ask('keys')).map(({ requests }) => requests)).toEqual([0])
})

test('python says what is wrong with the file', async () => {
  await using bus = await sharedBus()
  await using starter = bus.start('python', { env: { INTENT_BUS_CA: '/no/such.pem' } })
  expect((await starter.exited).code).toBe(1)
  expect(starter.output).toContain('The certificate /no/such.pem cannot be used')
})
