import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { temporaryFolder } from '../support/folders.ts'
import { ADMIN_TOKEN, PASSWORD, TestServer } from '../support/test-server.ts'
import { environmentOf, jsonOf, runCli } from './cli.ts'

async function startServer() {
  return TestServer.start({ isClockReal: true })
}

/** A dead letter of a goal. */
async function publishDead(server: TestServer, goal: string): Promise<string> {
  const id = await server.publish({ goal, max_attempts: 1 })
  const { claim_token } = (await server.post(`/claim?goal=${goal}`)).json
  await server.post(`/fail/${id}`, { claim_token, error: 'timed out' })
  return id
}

async function statusOf(server: TestServer, id: string): Promise<string> {
  return (await server.admin(`/admin/intents/${id}`)).json.status as string
}

test('lists what a filter matches, newest first, as rows of the contract', async () => {
  await using server = await startServer()
  const env = environmentOf(server)
  const ids = [await server.publish({ goal: 'a' }), await server.publish({ goal: 'b' }), await publishDead(server, 'c')]
  const all = await jsonOf(['list'], env)
  expect(all.value.map(({ id }: { id: string }) => id)).toEqual([...ids].reverse())
  expect(all.value[0]).toMatchObject({ goal: 'c', status: 'dead', attempts: 1, maxAttempts: 1, error: 'timed out' })
  expect((await jsonOf(['list', '--oldest', '--limit', '1'], env)).value).toMatchObject([{ id: ids[0] }])
  expect((await jsonOf(['list', 'status:open', 'goal:b'], env)).value).toMatchObject([{ id: ids[1] }])
  expect((await jsonOf(['list', '--filter=-status:open'], env)).value).toMatchObject([{ id: ids[2] }])
  expect((await jsonOf(['list', '--', '-status:open'], env)).value).toMatchObject([{ id: ids[2] }])
  expect((await jsonOf(['list', '--goal', 'a'], env)).value).toMatchObject([{ id: ids[0] }])
})

test('--all goes past the first page, and is one JSON value all the same', async () => {
  await using server = await startServer()
  await Promise.all(Array.from({ length: 1_100 }, () => server.publish()))
  const { value } = await jsonOf(['list', '--all'], environmentOf(server))
  expect(new Set(value.map(({ id }: { id: string }) => id)).size).toBe(1_100)
  expect((await jsonOf(['list'], environmentOf(server))).value).toHaveLength(50)
})

test('nothing found exits with 5, and still is JSON', async () => {
  await using server = await startServer()
  expect(await jsonOf(['list'], environmentOf(server))).toMatchObject({ code: 5, value: [] })
  expect(await runCli(['list'], environmentOf(server))).toEqual({ code: 5, stdout: '', stderr: 'No intent matches.\n' })
})

test('a filter that means nothing is a mistake, with its place', async () => {
  await using server = await startServer()
  for (const name of ['list', 'watch', 'retry', 'cancel']) {
    const { code, stderr } = await runCli([name, '--filter', 'status:open colour:red'], environmentOf(server))
    expect(code).toBe(2)
    expect(stderr).toContain('at "colour:red": There is no field `colour`')
  }
})

test('the table is aligned, and says what one wants to know', async () => {
  await using server = await startServer()
  await publishDead(server, 'send_mail')
  await server.publish({ goal: 'later', delay: 300 })
  const { stdout } = await runCli(['list'], environmentOf(server))
  const [head, later, dead] = stdout.split('\n')
  expect(head).toMatch(/^ID {32}STATUS {2}GOAL {7}TRIES {2}PUBLISHED {2}NOTE$/)
  expect(later).toMatch(/ {2}open {4}later {8}0\/3 .* runs in 4 min$/)
  expect(dead).toMatch(/ {2}dead {4}send_mail {4}1\/1 .* timed out$/)
})

test('goals and errors cannot act on a terminal: what they hold is shown, not done', async () => {
  await using server = await startServer()
  await server.publish({ goal: 'evil\u001b[2J\u0007\u202egoal\nline' })
  const { stdout } = await runCli(['list'], environmentOf(server))
  expect(stdout).toContain('evil\\x1b[2J\\x07\\u202egoal line')
  expect(stdout).not.toMatch(/[\u001b\u0007\u202e]/)
})

test('cancels and retries by id', async () => {
  await using server = await startServer()
  const env = environmentOf(server)
  const ids = [await server.publish(), await server.publish()]
  expect(await runCli(['cancel', ...ids], env)).toEqual({ code: 0, stdout: 'Cancelled 2 intents.\n', stderr: '' })
  expect(await statusOf(server, ids[0]!)).toBe('dead')
  expect((await jsonOf(['retry', ids[1]!], env)).value).toEqual({ matched: 1, changed: 1, missing: [] })
  expect(await statusOf(server, ids[1]!)).toBe('open')
  const nobody = '0'.repeat(32)
  expect(await jsonOf(['cancel', ids[1]!, nobody], env)).toMatchObject({ code: 5, value: { matched: 1, changed: 1, missing: [nobody] } })
})

test('acts on what a filter matches only when told beforehand, where nobody can be asked', async () => {
  await using server = await startServer()
  const env = environmentOf(server)
  const ids = [await server.publish({ goal: 'a' }), await server.publish({ goal: 'a' }), await server.publish({ goal: 'b' })]
  const asked = await runCli(['cancel', '--goal', 'a'], env)
  expect(asked.code).toBe(2)
  expect(asked.stderr).toContain('Cancel 2 intents matching `goal:a`?')
  expect(await statusOf(server, ids[0]!)).toBe('open')
  expect(await jsonOf(['cancel', '--goal', 'a', '--yes'], env)).toMatchObject({ code: 0, value: { matched: 2, changed: 2 } })
  expect(await Promise.all(ids.map((id) => statusOf(server, id)))).toEqual(['dead', 'dead', 'open'])
  expect(await runCli(['retry', '--filter', 'status:dead goal:a', '-y'], env)).toMatchObject({ code: 0, stdout: 'Retried 2 intents.\n' })
  expect((await runCli(['retry', '--filter', 'goal:nothing', '-y'], env)).code).toBe(5)
  expect((await runCli(['cancel', '--filter', '', '--yes'], env)).code).toBe(2)
  expect((await runCli(['cancel'], env)).code).toBe(2)
  expect((await runCli(['cancel', ids[2]!, '--goal', 'b'], env)).code).toBe(2)
})

test('makes a key, which works, lists it and revokes it', async () => {
  await using server = await startServer()
  const env = environmentOf(server)
  const made = await runCli(['keys', 'create', 'raspberry pi'], env)
  const key = made.stdout.trim()
  expect((await runCli(['publish', 'g'], { ...env, INTENT_API_KEY: key })).code).toBe(0)
  const [, id] = /\((key_[^)]+)\)/.exec(made.stderr)!
  expect((await jsonOf(['keys', 'list'], env)).value).toContainEqual(expect.objectContaining({ id, owner: 'raspberry pi', requests: 1 }))
  expect((await runCli(['keys', 'list'], env)).stdout).toMatch(/key_\S+ +raspberry pi +(now|\d+ s ago) +1 +1 +0 +0 +0\n/)
  const asked = await runCli(['keys', 'revoke', id!], env)
  expect(asked.code).toBe(2)
  expect(asked.stderr).toContain('It has 1 open intent, 0 claimed ones, 0 leases and 0 workers.')
  expect((await jsonOf(['keys', 'revoke', id!, '--yes'], env)).value).toMatchObject({ id, open: 1 })
  expect((await runCli(['publish', 'g'], { ...env, INTENT_API_KEY: key })).code).toBe(4)
  expect((await runCli(['keys', 'revoke', 'key_nobody', '--yes'], env)).code).toBe(5)
})

test('a key is revoked by the name of its owner, where that is the only one', async () => {
  await using server = await startServer()
  const env = environmentOf(server)
  for (const owner of ['pi', 'laptop', 'laptop']) await runCli(['keys', 'create', owner], env)
  expect(await runCli(['keys', 'revoke', 'laptop', '--yes'], env)).toMatchObject({ code: 1, stderr: expect.stringContaining('laptop has 2 keys') })
  expect(await runCli(['keys', 'revoke', 'nonsense'], env)).toMatchObject({ code: 5, stderr: expect.stringContaining('There is no key nonsense.') })
  expect((await jsonOf(['keys', 'revoke', 'pi', '--yes'], env)).value).toMatchObject({ id: expect.stringMatching(/^key_/) })
  expect((await runCli(['keys', 'revoke', 'main', '--yes'], env)).stderr).toContain('rotate it instead')
})

test('saves a key in a new file of its owner alone, without printing it', async () => {
  await using server = await startServer()
  using folder = temporaryFolder()
  const env = environmentOf(server)
  const file = join(folder.path, 'pi.key')
  const { value } = await jsonOf(['keys', 'create', 'pi', '--save', file], env)
  expect(value).toEqual({ id: expect.stringMatching(/^key_/), owner: 'pi', file, scope: null, expiresAt: null, rateLimit: null })
  expect(statSync(file).mode & 0o777).toBe(0o600)
  expect((await runCli(['publish', 'g', '--key-file', file], { ...env, INTENT_API_KEY: undefined })).code).toBe(0)
  const before = readFileSync(file, 'utf8')
  const again = await runCli(['keys', 'create', 'pi', '--save', file], env)
  expect(again).toMatchObject({ code: 1, stdout: '' })
  expect(again.stderr).toContain('is there already')
  expect((await jsonOf(['keys', 'list'], env)).value).toHaveLength(2)
  expect(readFileSync(file, 'utf8')).toBe(before)
})

test('operators are let in by the password, a file with it, or the admin token; others are not', async () => {
  await using server = await startServer()
  using folder = temporaryFolder()
  await server.publish()
  const bare = { INTENT_BUS_URL: server.url }
  expect((await runCli(['list'], { ...bare, INTENT_BUS_PASSWORD: PASSWORD })).code).toBe(0)
  expect((await runCli(['list'], { ...bare, BUS_ADMIN_SECRET: ADMIN_TOKEN })).code).toBe(0)
  expect(await runCli(['list'], { ...bare, INTENT_BUS_PASSWORD: 'wrong' })).toMatchObject({
    code: 4,
    stderr: expect.not.stringContaining('Log in')
  })
  const none = await runCli(['list'], bare)
  expect(none.code).toBe(4)
  expect(none.stderr).toContain('there is no password')
  expect((await runCli(['list', '--password-file', join(folder.path, 'none')], { ...bare, INTENT_BUS_PASSWORD: PASSWORD })).code).toBe(4)
})
