import { expect, test } from 'vitest'
import { readMoment } from '../../src/main/cli/arguments/moment.ts'
import { UsageError } from '../../src/main/cli/exit.ts'
import { TestServer } from '../support/test-server.ts'
import { environmentOf, jsonOf, runCli } from './cli.ts'

const DAY = 86_400

/** A bus, and what runs the command line as its operator. */
async function startServer() {
  const server = await TestServer.start({ isClockReal: true })
  const env = environmentOf(server)
  return {
    env,
    keys: (...args: readonly string[]) => runCli(['keys', ...args], env),
    json: (...args: readonly string[]) => jsonOf(['keys', ...args], env),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]()
  }
}

test('a key is made with limits, which count and are told', async () => {
  await using bus = await startServer()
  const now = Date.now() / 1000
  const limits = ['--roles', 'publish,read', '--namespaces', 'lab, home', '--goals', 'resize.*', '--expires', '90d', '--rate', '600']
  const { code, value } = await bus.json('create', 'pi4', ...limits)
  expect(code).toBe(0)
  const scope = { roles: ['publish', 'read'], namespaces: ['lab', 'home'], goals: ['resize.*'] }
  expect(value).toMatchObject({ owner: 'pi4', scope, rateLimit: 600 })
  expect(Math.abs(value.expiresAt - now - 90 * DAY)).toBeLessThan(30)
  const listed = (await bus.json('list')).value
  expect(listed).toContainEqual(expect.objectContaining({ id: value.id, scope, expiresAt: value.expiresAt, rateLimit: 600 }))

  const env = { ...bus.env, INTENT_API_KEY: value.secret }
  expect((await runCli(['publish', 'resize.big', '--namespace', 'lab'], env)).code).toBe(0)
  expect(await runCli(['publish', 'mail', '--namespace', 'lab'], env)).toMatchObject({ code: 4, stderr: expect.stringContaining('mail') })
  expect((await runCli(['publish', 'resize.big'], env)).code).toBe(4)
  const { stdout } = await bus.keys('list')
  expect(stdout).toMatch(/DEAD {2}LIMITS\n/)
  expect(stdout).toMatch(/ publish, read; namespaces lab, home; goals resize\.\*; until \d{4}-\d\d-\d\d [\d:]{8}; 600 requests a minute\n/)
})

test('limits are said where a key is shown, and a key without any says nothing of them', async () => {
  await using bus = await startServer()
  expect((await bus.keys('create', 'pi', '--roles', 'claim')).stderr).toContain('Its limits: claim.\n')
  expect((await bus.keys('create', 'pc')).stderr).not.toContain('limits')
})

test('limits change one by one, or all at once', async () => {
  await using bus = await startServer()
  await bus.keys('create', 'pi', '--roles', 'claim', '--goals', 'a', '--expires', '1h')
  const changed = await bus.json('limit', 'pi', '--rate', '5', '--expires', 'never')
  const scope = { roles: ['claim'], namespaces: null, goals: ['a'] }
  expect(changed).toMatchObject({ code: 0, value: { owner: 'pi', scope, expiresAt: null, rateLimit: 5 } })
  expect((await bus.keys('limit', 'pi', '--goals', 'b')).stdout).toMatch(/^key_\w+ of pi: claim; goals b; 5 requests a minute\.\n$/)
  expect((await bus.json('limit', 'pi', '--no-limits', '--roles', 'publish')).value).toMatchObject({
    scope: { roles: ['publish'], namespaces: null, goals: null },
    rateLimit: null
  })
  expect(await bus.keys('limit', 'pi', '--no-limits')).toMatchObject({ code: 0, stdout: expect.stringContaining('of pi: no limits.') })
  expect((await bus.json('list')).value).toContainEqual(expect.objectContaining({ owner: 'pi', scope: null, expiresAt: null, rateLimit: null }))
})

test.each<[args: readonly string[], said: string]>([
  [['--roles', 'claim,fly'], '--roles is publish or claim or read or operate, not "fly".'],
  [['--roles', ''], '--roles is empty.'],
  [['--goals', ' , '], '--goals is empty.'],
  [['--namespaces', 'no/pe'], '--namespaces: "no/pe" is not a namespace'],
  [['--goals', 'x'.repeat(513)], 'is not a goal or a pattern of up to 512 characters'],
  [['--goals', Array.from({ length: 33 }, (_, i) => `g${i}`).join()], '--goals takes 32 at most.'],
  [['--roles', 'operate', '--goals', 'a'], 'A key that may operate sees all intents'],
  [['--expires', 'soon'], '--expires takes a time like 90d or 12h'],
  [['--expires', '2020-01-01'], '2020-01-01 is over.'],
  [['--rate', '0'], '--rate takes a whole number from 1 to 100000, not "0".']
])('%j is a mistake, and makes and changes nothing', async (args, said) => {
  await using bus = await startServer()
  for (const command of [['create', 'pi'], ['limit', 'main']]) {
    expect(await bus.keys(...command, ...args)).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining(said) })
  }
  expect((await bus.json('list')).value).toHaveLength(1)
})

test('refuses to limit nothing, nobody, several, and the main key', async () => {
  await using bus = await startServer()
  for (const owner of ['pi', 'laptop', 'laptop']) await bus.keys('create', owner)
  expect(await bus.keys('limit', 'pi')).toMatchObject({ code: 2, stderr: expect.stringContaining('There is no limit to change.') })
  expect(await bus.keys('limit', 'nobody', '--rate', '5')).toMatchObject({ code: 5, stderr: expect.stringContaining('There is no key nobody.') })
  expect(await bus.keys('limit', 'laptop', '--rate', '5')).toMatchObject({ code: 1, stderr: expect.stringContaining('laptop has 2 keys') })
  expect(await bus.keys('limit', 'main', '--rate', '5')).toMatchObject({ code: 1, stderr: expect.stringContaining('cannot be limited') })
})

test('an id names its own key, whatever the owners of others are called', async () => {
  await using bus = await startServer()
  const { id } = (await bus.json('create', 'stolen laptop')).value
  const { id: other } = (await bus.json('create', id)).value
  expect((await bus.json('limit', id, '--rate', '5')).value).toMatchObject({ id, owner: 'stolen laptop' })
  expect(await bus.json('revoke', id, '--yes')).toMatchObject({ code: 0, value: { id } })
  expect((await bus.json('list')).value.map((key: { id: string }) => key.id).sort()).toEqual([other, 'main'].sort())
})

test('what acts on a terminal is shown in limits, and does not act', async () => {
  await using bus = await startServer()
  await bus.keys('create', 'pi')
  const { code, stdout } = await bus.keys('limit', 'pi', '--goals', 'a\u001b[2J')
  expect([code, stdout]).toEqual([0, expect.stringMatching(/^key_\w+ of pi: goals a\\x1b\[2J\.\n$/)])
})

test('a role that operates is given, and is what the key may do then', async () => {
  await using bus = await startServer()
  const { value } = await bus.json('create', 'pc', '--roles', 'operate,publish')
  const env = { ...bus.env, INTENT_API_KEY: value.secret, INTENT_BUS_PASSWORD: undefined }
  expect(await jsonOf(['list'], env)).toMatchObject({ code: 5, value: [] })
  await bus.keys('limit', 'pc', '--roles', 'publish')
  expect((await runCli(['list'], env)).code).toBe(4)
})

test('moments are read', () => {
  const now = new Date(2030, 5, 1, 12).getTime() / 1000
  const local = (...parts: [number, number, number, number, number, number?]): number => new Date(...parts).getTime() / 1000
  const read = (text: string): number => readMoment('expires', text, now + 0.7)
  expect([read('90d'), read('12h'), read('5m'), read('30s')]).toEqual([now + 90 * DAY, now + DAY / 2, now + 300, now + 30])
  expect(read('2030-06-01')).toBe(local(2030, 5, 1, 23, 59, 59))
  expect([read('2031-01-03T18:00'), read('2031-01-03 18:00:05')]).toEqual([local(2031, 0, 3, 18, 0), local(2031, 0, 3, 18, 0, 5)])
  expect([read('2031-01-03T18:00Z'), read('2031-01-03T18:00+02:00')]).toEqual([Date.UTC(2031, 0, 3, 18) / 1000, Date.UTC(2031, 0, 3, 16) / 1000])
  for (const text of ['', '90', 'd', '2031-02-30', '2031-13-01', '2031-01-03T25:00', '0d', '2030-05-31', '2030-06-01T11:59']) {
    expect(() => read(text), text).toThrow(UsageError)
  }
})
