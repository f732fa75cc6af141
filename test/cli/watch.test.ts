import type { ServerResponse } from 'node:http'
import { expect, test } from 'vitest'
import type { IntentChange } from '../../src/shared/control/intent-views.ts'
import { MAIN_KEY, TestServer } from '../support/test-server.ts'
import { BrokenLine } from './broken-line.ts'
import { Command, deserted, environmentOf } from './cli.ts'
import { Stranger } from './stranger.ts'

/** A watcher that is told what happens from here on. */
async function startWatch(server: TestServer, args: readonly string[], env = environmentOf(server)): Promise<Command> {
  const command = new Command(['watch', ...args], env)
  // The first thing it shows proves that it listens.
  await publishUntil(server, command)
  return command
}

async function publishUntil(server: TestServer, command: Command): Promise<void> {
  for (;;) {
    const id = await server.publish({ goal: 'first' })
    for (let i = 0; i < 20; i++) {
      if (command.stdout.includes(id)) return
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
  }
}

function linesAbout(command: Command, id: string): Record<string, unknown>[] {
  return command.stdout
    .split('\n')
    .filter((line) => line.includes(id))
    .map((line) => JSON.parse(line) as Record<string, unknown>)
}

test('shows what happens, one JSON value per line, and ends with 130', async () => {
  await using server = await TestServer.start({ isClockReal: true })
  await using command = await startWatch(server, ['--json'])
  const id = await server.publish({ goal: 'resize' })
  const { claim_token } = (await server.post('/claim?goal=resize', undefined, { 'X-Worker-ID': 'pi4' })).json
  await server.post(`/fulfill/${id}`, { claim_token })
  await command.prints('fulfilled')
  expect(linesAbout(command, id)).toMatchObject([
    { event: 'published', status: 'open', goal: 'resize' },
    { event: 'claimed', status: 'claimed', worker: 'pi4' },
    { event: 'fulfilled', status: 'fulfilled' }
  ])
  expect(await command.kill('SIGINT')).toMatchObject({ code: 130, stderr: '' })
})

test('shows only what a filter matches, also where a change alone does not tell', async () => {
  await using server = await TestServer.start({ isClockReal: true })
  await using command = new Command(['watch', 'priority:>500', '--goal', 'a*b', '--json'], environmentOf(server))
  const wanted: string[] = []
  while (!command.stdout.includes('published')) {
    await server.publish({ goal: 'a*b', priority: 1 })
    await server.publish({ goal: 'axb', priority: 900 })
    wanted.push(await server.publish({ goal: 'a*b', priority: 900 }))
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  await command.kill('SIGINT')
  const shown = command.stdout.trim().split('\n').map((line) => (JSON.parse(line) as { id: string }).id)
  expect(shown.length).toBeGreaterThan(0)
  for (const id of shown) expect(wanted).toContain(id)
})

test('people read a line per change, without control characters of others', async () => {
  await using server = await TestServer.start({ isClockReal: true })
  await using command = await startWatch(server, [])
  const goal = 'evil\u001b]0;title\u0007'
  const id = await server.publish({ goal, max_attempts: 1 })
  const { claim_token } = (await server.post(`/claim?goal=${encodeURIComponent(goal)}`)).json
  await server.post(`/fail/${id}`, { claim_token, error: 'it\u001b[31mbroke' })
  await command.prints('died')
  const [line] = command.stdout.split('\n').filter((candidate) => candidate.includes('died'))
  expect(line).toMatch(/^\d\d:\d\d:\d\d {2}died {8}[0-9a-f]{32} {2}evil\\x1b]0;title\\x07 {2}.*it\\x1b\[31mbroke$/)
  expect(command.stdout).not.toMatch(/[\u001b\u0007]/)
})

/** A bus that shows one frame of changes after the other, each when it is told to, and answers calls as told. */
function staged(answer: (res: ServerResponse, count: number) => void) {
  const stage = { calls: 0, show: (_changes: readonly Partial<IntentChange>[]): void => {} }
  const bus = Stranger.listen((req, res) => {
    if (req.url !== '/admin/control/events') return answer(res, ++stage.calls)
    res.writeHead(200, { 'Content-Type': 'text/event-stream' }).flushHeaders()
    stage.show = (changes) => {
      const all = changes.map((change) => ({ at: 0, event: 'published', status: 'open', namespace: 'default', goal: 'g', ...change }))
      res.write(`data: ${JSON.stringify({ changes: all, missed: 0 })}\n\n`)
    }
  })
  return { bus, stage }
}

test('a bus that is away when it is asked about a change does not end the watch', async () => {
  const found = JSON.stringify({ value: { rows: [{}], next: null } })
  const { bus, stage } = staged((res, count) => void (count === 1 ? res.destroy() : count === 2 ? res.writeHead(503).end('{}') : res.end(found)))
  await using stranger = await bus
  const env = { INTENT_BUS_URL: stranger.url, INTENT_BUS_PASSWORD: 'p' }
  await using command = new Command(['watch', 'priority:>500', '--json'], env)
  while (!stranger.seen.includes('/events')) await new Promise((resolve) => setTimeout(resolve, 10))
  stage.show([{ id: 'lost' }, { id: 'refused' }])
  await command.says('There was more than is shown here.')
  stage.show([{ id: 'known' }])
  await command.prints('known')
  expect(linesAbout(command, '"id"')).toMatchObject([{ id: 'known' }])
  expect(await command.kill('SIGINT')).toMatchObject({ code: 130, stderr: 'There was more than is shown here.\n' })
})

test('a bus that refuses to be asked about a change ends the watch', async () => {
  const { bus, stage } = staged((res) => void res.writeHead(400).end('{"error":{"code":"invalid_query","message":"No such field."}}'))
  await using stranger = await bus
  await using command = new Command(['watch', 'priority:>500'], { INTENT_BUS_URL: stranger.url, INTENT_BUS_PASSWORD: 'p' })
  while (!stranger.seen.includes('/events')) await new Promise((resolve) => setTimeout(resolve, 10))
  stage.show([{ id: 'x' }])
  expect(await command.finished).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('No such field.') })
})

test('what a bus says has happened cannot act on a terminal either', async () => {
  const { bus, stage } = staged((res) => void res.destroy())
  await using stranger = await bus
  await using command = new Command(['watch'], { INTENT_BUS_URL: stranger.url, INTENT_BUS_PASSWORD: 'p' })
  while (!stranger.seen.includes('/events')) await new Promise((resolve) => setTimeout(resolve, 10))
  stage.show([{ id: 'x\u001b[2J', event: 'evil\u001b]0;title\u0007' as IntentChange['event'] }])
  await command.prints('\n')
  expect(command.stdout).toContain('evil\\x1b]0;title\\x07')
  expect(command.stdout).not.toMatch(/[\u001b\u0007]/)
})

test('without a password it shows the intents of the key alone', async () => {
  await using server = await TestServer.start({ isClockReal: true })
  const key = await server.newKey()
  await using command = new Command(['watch', '--json'], { INTENT_BUS_URL: server.url, INTENT_API_KEY: key })
  await command.says('only the intents of this key')
  let own = ''
  let other = ''
  while (!command.stdout.includes('published')) {
    other = await server.publish({ goal: 'g' }, MAIN_KEY)
    own = await server.publish({ goal: 'g' }, key)
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
  expect(command.stdout).toContain(own)
  expect(command.stdout).not.toContain(other)
  expect(linesAbout(command, own)[0]).toMatchObject({ id: own, event: 'published', status: 'open', goal: 'g', namespace: 'default' })
  expect((await command.kill('SIGINT')).code).toBe(130)
})

test('a bus that cannot be reached at the start is told at once; the wrong password, too', async () => {
  await using unreachable = new Command(['watch'], { INTENT_BUS_URL: await deserted(), INTENT_BUS_PASSWORD: 'p' })
  expect((await unreachable.finished).code).toBe(3)
  await using server = await TestServer.start({ isClockReal: true })
  await using wrong = new Command(['watch'], { INTENT_BUS_URL: server.url, INTENT_BUS_PASSWORD: 'wrong' })
  expect((await wrong.finished).code).toBe(4)
})

test('goes on when the connection comes back, and tells that something may be missing', async () => {
  await using server = await TestServer.start({ isClockReal: true })
  await using line = await BrokenLine.to(server.url)
  await using command = await startWatch(server, ['--json'], { ...environmentOf(server), INTENT_BUS_URL: line.url })
  line.cut()
  await command.says('trying again')
  await server.publish({ goal: 'unseen' })
  line.mend()
  await command.says('The bus is back.')
  await command.says('There was more than is shown here.')
  const id = await server.publish({ goal: 'seen' })
  await command.prints(id)
  expect(command.stdout).not.toContain('unseen')
  expect((await command.kill('SIGINT')).code).toBe(130)
})
