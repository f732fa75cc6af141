import { chmodSync, existsSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { temporaryFolder } from '../support/folders.ts'
import { TestServer } from '../support/test-server.ts'
import { Command, environmentOf } from './cli.ts'
import { Terminal } from './terminal.ts'

async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise((resolve) => setTimeout(resolve, 20))
}

/** A program that writes a line ten times a second, as a sign of life, and has a child that does the same. */
function busyProgram(folder: string, onTerm: string): { readonly path: string; readonly signs: readonly string[] } {
  const signs = ['parent', 'child'].map((name) => join(folder, name)) as [string, string]
  const beat = (sign: string): string => `while :; do echo . >> '${sign}'; sleep 0.1; done`
  const path = join(folder, 'program')
  writeFileSync(path, `#!/bin/sh\ntrap '${onTerm}' TERM\n(trap '${onTerm}' TERM; ${beat(signs[1])}) &\n${beat(signs[0])}\n`)
  chmodSync(path, 0o700)
  return { path, signs }
}

/** Whether nothing gives a sign of life any more. */
async function areSilent(signs: readonly string[]): Promise<boolean> {
  const sizes = signs.map((sign) => statSync(sign).size)
  await new Promise((resolve) => setTimeout(resolve, 500))
  return signs.every((sign, i) => statSync(sign).size === sizes[i])
}

test('a program that takes longer than three leases keeps its intent', async () => {
  await using server = await TestServer.start({ isClockReal: true, claimTimeout: 1 })
  const id = await server.publish({ goal: 'g', max_attempts: 5 })
  await using command = new Command(['work', 'g', '--', 'sleep', '3.5'], environmentOf(server))
  await command.prints('fulfilled')
  await command.kill('SIGTERM')
  const { status, claim_attempts } = (await server.get(`/status/${id}`)).json
  expect({ status, claim_attempts }).toEqual({ status: 'fulfilled', claim_attempts: 1 })
})

test.each([
  ['ends when asked', 'exit 0', 4],
  ['does not want to end', '', 9]
])('a lost lease ends a program that %s, and all that it started', async (_, onTerm, seconds) => {
  await using server = await TestServer.start({ isClockReal: true, claimTimeout: 2 })
  using folder = temporaryFolder()
  const { path, signs } = busyProgram(folder.path, onTerm)
  const id = await server.publish({ goal: 'g' })
  await using command = new Command(['work', 'g', '--json', '--', path], environmentOf(server))
  await until(() => signs.every((sign) => existsSync(sign)))
  await server.admin(`/admin/intents/${id}/cancel`, undefined, 'POST')
  await command.prints('"event":"lost"')
  const lostAt = performance.now()
  await until(() => areSilent(signs))
  expect(performance.now() - lostAt).toBeLessThan(seconds * 1000)
  expect((await server.get(`/status/${id}`)).json.status).toBe('dead')
  expect((await command.kill('SIGTERM')).code).toBe(143)
}, 40_000)

test('Ctrl+C lets the running program finish, and claims no more', async () => {
  await using server = await TestServer.start({ isClockReal: true })
  using folder = temporaryFolder()
  const sign = join(folder.path, 'started')
  const first = await server.publish({ goal: 'g' })
  await using command = new Command(['work', 'g', '--', 'sh', '-c', `touch '${sign}'; sleep 1; echo done`], environmentOf(server))
  await until(() => existsSync(sign))
  const second = await server.publish({ goal: 'g' })
  const { code, stderr } = await command.kill('SIGINT')
  expect(code).toBe(130)
  expect(stderr).toContain('waiting for those that run')
  expect((await server.get(`/result/${first}`)).json).toMatchObject({ status: 'fulfilled', result: 'done' })
  expect((await server.get(`/status/${second}`)).json).toMatchObject({ status: 'open', claim_attempts: 0 })
})

test('Ctrl+C on a terminal is for the worker: the program does not get it', async () => {
  await using server = await TestServer.start({ isClockReal: true })
  using folder = temporaryFolder()
  const sign = join(folder.path, 'started')
  const id = await server.publish({ goal: 'g' })
  const program = ['sh', '-c', `trap 'echo interrupted; exit' INT; touch '${sign}'; sleep 1; echo done`]
  await using terminal = Terminal.run(['work', 'g', '--', ...program], environmentOf(server))
  await until(() => existsSync(sign))
  terminal.type('\u0003')
  expect(await terminal.ended).toEqual({ code: 130, restored: true })
  expect((await server.get(`/result/${id}`)).json.result).toBe('done')
})

test('a second Ctrl+C ends the program and gives the intent back', async () => {
  await using server = await TestServer.start({ isClockReal: true })
  using folder = temporaryFolder()
  const { path, signs } = busyProgram(folder.path, 'exit 0')
  const id = await server.publish({ goal: 'g' })
  await using command = new Command(['work', 'g', '--', path], environmentOf(server))
  await until(() => signs.every((sign) => existsSync(sign)))
  command.process.kill('SIGINT')
  await command.says('gives them back')
  expect((await command.kill('SIGINT')).code).toBe(130)
  expect(await areSilent(signs)).toBe(true)
  expect((await server.get(`/status/${id}`)).json).toMatchObject({ status: 'open', error: 'worker stopped' })
})

test('a third one ends it at once, and no program goes on', async () => {
  await using server = await TestServer.start({ isClockReal: true })
  using folder = temporaryFolder()
  const { path, signs } = busyProgram(folder.path, '')
  await server.publish({ goal: 'g' })
  await using command = new Command(['work', 'g', '--', path], environmentOf(server))
  await until(() => signs.every((sign) => existsSync(sign)))
  command.process.kill('SIGINT')
  await command.says('gives them back')
  command.process.kill('SIGINT')
  await command.prints('failed')
  const startedAt = performance.now()
  expect((await command.kill('SIGINT')).code).toBe(130)
  expect(performance.now() - startedAt).toBeLessThan(3_000)
  expect(await areSilent(signs)).toBe(true)
})

test('an idle worker ends at once', async () => {
  await using server = await TestServer.start({ isClockReal: true })
  await using command = new Command(['work', 'g', '--', 'true'], environmentOf(server))
  const id = await server.publish({ goal: 'g' })
  await command.prints('fulfilled')
  const startedAt = performance.now()
  expect(await command.kill('SIGTERM')).toMatchObject({ code: 143, stderr: '' })
  expect(performance.now() - startedAt).toBeLessThan(3_000)
  expect((await server.get(`/status/${id}`)).json.status).toBe('fulfilled')
})
