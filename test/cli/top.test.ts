import { expect, test } from 'vitest'
import { TestServer } from '../support/test-server.ts'
import type { BusStatus } from '../../src/shared/control/status-views.ts'
import { styleFor } from '../../src/main/cli/terminal/style.ts'
import { textWidth } from '../../src/main/cli/terminal/width.ts'
import { dashboardLines } from '../../src/main/cli/top/layout.ts'
import type { Snapshot } from '../../src/main/cli/top/snapshot.ts'
import { CLI, deserted, environmentOf, jsonOf, runCli } from './cli.ts'
import { Terminal } from './terminal.ts'

const ENTER = '\u001b[?1049h'
const LEAVE = '\u001b[?25h\u001b[?1049l'

/** A bus with a worker, a dead letter and some that wait. */
async function startBusyServer(): Promise<TestServer> {
  const server = await TestServer.start({ isClockReal: true })
  await server.publish({ goal: 'send\u001b[2Jmail', max_attempts: 1 })
  const { id, claim_token } = (await server.post('/claim', undefined, { 'X-Worker-ID': 'pi4' })).json
  await server.post(`/fail/${id}`, { claim_token, error: `no route to host 日本語 ${'very '.repeat(40)}long` })
  for (let i = 0; i < 3; i++) await server.publish({ goal: 'resize' })
  return server
}

function fits(screen: readonly string[], rows: number, columns: number): void {
  expect(screen.length).toBeLessThanOrEqual(rows)
  for (const line of screen) expect(textWidth(line), line).toBeLessThanOrEqual(columns)
}

test('shows counts, rates, workers and failures on the whole terminal, and gives it back on q', async () => {
  await using server = await startBusyServer()
  await using terminal = Terminal.run(['top', '--interval', '0.2'], environmentOf(server))
  await terminal.shows('q quits')
  fits(terminal.screen(), 24, 80)
  const text = terminal.screen().join('\n')
  for (const counted of ['3 open', '1 dead', '4 published']) expect(text).toContain(counted)
  for (const named of ['pi4', 'online', 'send\\x1b[2Jmail', 'no route to host 日本語']) expect(text).toContain(named)
  await server.publish()
  await terminal.until(() => terminal.screen().join('\n').includes('4 open'))
  terminal.type('q')
  expect(await terminal.ended).toEqual({ code: 0, restored: true })
  expect(terminal.output.startsWith(ENTER)).toBe(true)
  expect(terminal.output.endsWith(LEAVE)).toBe(true)
})

test('fits into the terminal whatever its size becomes', async () => {
  await using server = await startBusyServer()
  await using terminal = Terminal.run(['top', '--interval', '3600'], environmentOf(server))
  await terminal.shows('q quits')
  for (const [rows, columns] of [[10, 40], [5, 20], [60, 200], [2, 10], [24, 80]] as const) {
    const drawn = terminal.output.length
    terminal.resize(rows, columns)
    await terminal.until(() => terminal.output.slice(drawn).includes('\u001b[J'))
    fits(terminal.screen(), rows, columns)
  }
  expect(terminal.screen().join('\n')).toContain('pi4')
  terminal.type('q')
  expect((await terminal.ended).code).toBe(0)
})

test.each([
  ['Ctrl+C', (terminal: Terminal) => terminal.type('\u0003'), 130],
  ['SIGTERM', (terminal: Terminal) => terminal.signal(15), 143],
  ['SIGINT', (terminal: Terminal) => terminal.signal(2), 130]
])('gives the terminal back on %s', async (_, end, code) => {
  await using server = await startBusyServer()
  await using terminal = Terminal.run(['top'], environmentOf(server))
  await terminal.shows('q quits')
  end(terminal)
  expect(await terminal.ended).toEqual({ code, restored: true })
  expect(terminal.output.endsWith(LEAVE)).toBe(true)
})

test('Ctrl+Z gives the terminal to the shell, and fg takes it again', async () => {
  await using server = await startBusyServer()
  await using terminal = Terminal.shell(environmentOf(server))
  terminal.type("PS1='ready''> '\r")
  await terminal.shows('ready> ')
  terminal.type(`'${process.execPath}' '${CLI}' top --interval 3600\r`)
  await terminal.shows('q quits')
  terminal.type('\u001a')
  await terminal.until(() => terminal.output.includes(LEAVE) && terminal.output.includes('Stopped'))
  const stopped = terminal.output.length
  terminal.type('stty -a | grep -o " icanon"; fg\r')
  await terminal.until(() => terminal.output.slice(stopped).includes('q quits'))
  expect(terminal.output.slice(stopped)).toMatch(/^ icanon\r$/m)
  expect(terminal.output.slice(stopped)).toContain(ENTER)
  terminal.type('q')
  await terminal.until(() => terminal.output.endsWith('ready> '))
  terminal.type('exit\r')
  expect((await terminal.ended).code).toBe(0)
})

test('stays while the bus is away, and says so', async () => {
  const server = await startBusyServer()
  await using terminal = Terminal.run(['top', '--interval', '0.2'], environmentOf(server))
  await terminal.shows('q quits')
  await server[Symbol.asyncDispose]()
  await terminal.shows('cannot be reached')
  expect(terminal.screen().join('\n')).toContain('3 open')
  terminal.type('q')
  expect(await terminal.ended).toEqual({ code: 0, restored: true })
})

test('leaves the terminal alone when there is no bus, or no password', async () => {
  await using terminal = Terminal.run(['top'], { INTENT_BUS_URL: await deserted(), INTENT_BUS_PASSWORD: 'p' })
  expect((await terminal.ended).code).toBe(3)
  await using other = Terminal.run(['top'], { INTENT_BUS_URL: await deserted() })
  expect((await other.ended).code).toBe(4)
  expect(terminal.output + other.output).not.toContain(ENTER)
})

test('uses colours on a terminal, unless NO_COLOR says not to', async () => {
  await using server = await startBusyServer()
  for (const [env, isColoured] of [[{}, true], [{ NO_COLOR: '1' }, false], [{ NO_COLOR: '' }, true]] as const) {
    await using terminal = Terminal.run(['list'], { ...environmentOf(server), ...env })
    expect((await terminal.ended).code).toBe(0)
    expect(terminal.output.includes('\u001b[31m')).toBe(isColoured)
    for (const line of terminal.output.split('\r\n')) expect(textWidth(line.replace(/\u001b\[\d+m/g, ''))).toBeLessThanOrEqual(80)
  }
})

test('prints once where there is no terminal', async () => {
  await using server = await startBusyServer()
  const { code, stdout } = await runCli(['top'], environmentOf(server))
  expect(code).toBe(0)
  expect(stdout).toContain('3 open   0 claimed   0 fulfilled   1 dead')
  expect(stdout).not.toContain('\u001b')
  const { value } = await jsonOf(['top'], environmentOf(server))
  expect(value).toMatchObject({
    overview: { counts: { open: 3, dead: 1 } },
    statistics: { total: { published: 4, failed: 1 } },
    workers: [{ worker: 'pi4', failed: 1 }],
    failures: [{ status: 'dead' }]
  })
})

test('what the bus says of itself cannot act on a terminal', async () => {
  await using server = await startBusyServer()
  const { value } = (await jsonOf(['top'], environmentOf(server))) as { value: Snapshot }
  const app = { ...value.status.app, name: 'bus\u001b]0;title\u0007' }
  const listener = { state: 'listening', url: 'http://\u009b2J', isFallback: false } as unknown as BusStatus['listener']
  const lines = dashboardLines({ ...value, status: { ...value.status, app, listener } }, { columns: 100, rows: 50 }, styleFor(false), '')
  expect(lines[0]).toContain('bus\\x1b]0;title\\x07')
  expect(lines[0]).toContain('http://\\x9b2J')
  expect(lines.join('')).not.toMatch(/[\u001b\u0007\u009b]/)
})

test('asks on a terminal before it acts on many', async () => {
  await using server = await startBusyServer()
  for (const [answer, code, open] of [['n', 1, 3], ['', 1, 3], ['y', 0, 0]] as const) {
    await using terminal = Terminal.run(['cancel', '--goal', 'resize'], environmentOf(server))
    await terminal.shows('Cancel 3 intents matching `goal:resize`? [y/N] ')
    terminal.type(`${answer}\r`)
    expect(await terminal.ended).toEqual({ code, restored: true })
    expect((await server.admin('/admin/control/overview.get', {})).json.value.counts.open).toBe(open)
  }
})

test('the end of input on a question is a no', async () => {
  await using server = await startBusyServer()
  await using terminal = Terminal.run(['cancel', '--goal', 'resize'], environmentOf(server))
  await terminal.shows('[y/N] ')
  terminal.type('\u0004')
  expect(await terminal.ended).toEqual({ code: 1, restored: true })
  expect(terminal.output).toMatch(/\[y\/N\] [^\n]*\r\nNothing was changed\.\r\n$/)
  expect((await server.admin('/admin/control/overview.get', {})).json.value.counts.open).toBe(3)
})

test('Ctrl+C on a question changes nothing', async () => {
  await using server = await startBusyServer()
  await using terminal = Terminal.run(['cancel', '--goal', 'resize'], environmentOf(server))
  await terminal.shows('[y/N] ')
  terminal.type('\u0003')
  expect(await terminal.ended).toEqual({ code: 130, restored: true })
  expect(terminal.output).not.toContain('Error')
  expect((await server.admin('/admin/control/overview.get', {})).json.value.counts.open).toBe(3)
})
