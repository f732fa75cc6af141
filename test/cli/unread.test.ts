import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { TestServer } from '../support/test-server.ts'
import { childEnvironment, CLI, Command, environmentOf } from './cli.ts'

const run = promisify(execFile)

/** Runs a line of bash, in which `bus` is the command line. */
async function shell(line: string, server: TestServer): Promise<{ stdout: string; stderr: string }> {
  const script = `bus() { '${process.execPath}' '${CLI}' "$@"; }\n${line}`
  return run('bash', ['-c', script], { env: childEnvironment(environmentOf(server)) })
}

async function statusOf(server: TestServer, id: string): Promise<string> {
  return (await server.get(`/status/${id}`)).json.status as string
}

async function until(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise((resolve) => setTimeout(resolve, 20))
}

/** Takes as many seconds as the payload says. */
const SLEEP = `sh -c 'sleep "$(cat)"; echo "half done" >&2; echo done'`

test('who only prints ends without an error when nobody reads any more', async () => {
  await using server = await TestServer.start({ isClockReal: true })
  await Promise.all(Array.from({ length: 2_000 }, () => server.publish()))
  const { stdout, stderr } = await shell('bus list --all --json | head -c 1; echo " ${PIPESTATUS[0]}"', server)
  expect({ stdout, stderr }).toEqual({ stdout: '[ 0\n', stderr: '' })
})

test('a worker whose output nobody reads any more lets programs finish, claims no more, and ends with 141', async () => {
  await using server = await TestServer.start({ isClockReal: true })
  const quick = await server.publish({ goal: 'g', payload: 0.3 })
  const slow = await server.publish({ goal: 'g', payload: 3 })
  const ended = shell(`bus work g --concurrency 2 -- ${SLEEP} | head -n 1; echo "\${PIPESTATUS[0]}"`, server)
  // Told of to nobody.
  await until(async () => (await statusOf(server, quick)) === 'fulfilled')
  await new Promise((resolve) => setTimeout(resolve, 500))
  const later = await server.publish({ goal: 'g', payload: 0 })
  const { stdout, stderr } = await ended
  expect(stdout).toMatch(/^\S+ {2}claimed .*\n141\n$/)
  expect(stderr).toMatch(/^(\[\w+\] half done\n){2}$/)
  expect(await statusOf(server, slow)).toBe('fulfilled')
  expect((await server.get(`/status/${later}`)).json).toMatchObject({ status: 'open', claim_attempts: 0 })
})

test('who cannot be told what goes wrong is not told, and that is all', async () => {
  await using server = await TestServer.start({ isClockReal: true })
  await using command = new Command(['work', 'g', '--', 'sh', '-c', 'echo "half done" >&2; echo done'], environmentOf(server))
  command.process.stderr!.destroy()
  for (let i = 0; i < 3; i++) {
    const id = await server.publish({ goal: 'g' })
    await command.prints(`fulfilled  ${id}`)
  }
  expect((await command.kill('SIGTERM')).code).toBe(143)
})

test('output that cannot be written is a failure; a worker finishes what it is at all the same', async () => {
  await using server = await TestServer.start({ isClockReal: true })
  const id = await server.publish({ goal: 'g', payload: 0.5 })
  const said = 'intent-bus: Standard output cannot be written (ENOSPC).\n'
  expect(await shell('bus list > /dev/full || echo $?', server)).toEqual({ stdout: '1\n', stderr: said })
  const { stdout, stderr } = await shell(`bus work g -- ${SLEEP} > /dev/full || echo $?`, server)
  expect({ stdout, stderr: stderr.split('\n')[0] }).toEqual({ stdout: '1\n', stderr: said.trim() })
  expect(await statusOf(server, id)).toBe('fulfilled')
})
