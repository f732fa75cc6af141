import type { ChildProcess } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { cleanEnvironment, ROOT } from '../support/bus-process.ts'
import { HERE, type Place } from '../support/home-network.ts'
import { MAIN_KEY, PASSWORD, type TestServer } from '../support/test-server.ts'

export const CLI = join(ROOT, 'src', 'main', 'cli', 'index.ts')

/** How a command ended, and what it printed. */
export interface Finished {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

type Environment = Readonly<Record<string, string | undefined>>

/** No bus, no keys, and no folder of whoever runs the tests. */
const NOBODY: Environment = { HOME: join(ROOT, 'no-such-home'), XDG_CONFIG_HOME: undefined, BUS_DATA_DIR: join(ROOT, 'no-such-folder') }

/** What finds the bus of a test, with the main key and the operators' password. */
export function environmentOf(server: TestServer): Environment {
  return { INTENT_BUS_URL: server.url, INTENT_API_KEY: MAIN_KEY, INTENT_BUS_PASSWORD: PASSWORD }
}

/** An environment for a child: that of the tests without anything of a bus, and what is given. */
export function childEnvironment(env: Environment): Record<string, string> {
  const all = { ...cleanEnvironment(), ...NOBODY, ...env }
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)) as Record<string, string>
}

/** The command line in a process of its own, as users run it. */
export class Command implements AsyncDisposable {
  readonly process: ChildProcess
  readonly finished: Promise<Finished>
  stdout = ''
  stderr = ''

  /** `place`: on which machine. */
  constructor(args: readonly string[], env: Environment, input?: string | Buffer, place: Place = HERE) {
    this.process = place.spawn(process.execPath, [CLI, ...args], { env: childEnvironment(env), stdio: 'pipe' })
    this.process.stdout!.setEncoding('utf8').on('data', (text: string) => (this.stdout += text))
    this.process.stderr!.setEncoding('utf8').on('data', (text: string) => (this.stderr += text))
    this.process.stdin!.end(input)
    this.finished = new Promise((resolve) => {
      this.process.on('close', (code) => resolve({ code, stdout: this.stdout, stderr: this.stderr }))
    })
  }

  /** Waits until standard output has something. Rejects when the command ends before. */
  async prints(text: string): Promise<void> {
    await this.#waitFor(() => this.stdout.includes(text), text)
  }

  /** The same for standard error. */
  async says(text: string): Promise<void> {
    await this.#waitFor(() => this.stderr.includes(text), text)
  }

  async #waitFor(isThere: () => boolean, what: string): Promise<void> {
    let isOver = false
    void this.finished.then(() => (isOver = true))
    while (!isThere()) {
      if (isOver) throw new Error(`It ended without "${what}".\n${this.stdout}\n${this.stderr}`)
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
  }

  /** Sends a signal, and waits for the end. */
  kill(signal: NodeJS.Signals): Promise<Finished> {
    this.process.kill(signal)
    return this.finished
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.process.exitCode === null && this.process.signalCode === null) await this.kill('SIGKILL')
  }
}

/** The data folder of a bus with a key and a password of its own. `url`: where its process says that it listens. */
export function dataFolder(path: string, url: string | undefined, pid = process.pid): string {
  mkdirSync(path, { recursive: true, mode: 0o700 })
  if (url !== undefined) writeFileSync(join(path, 'running.json'), `${JSON.stringify({ pid, url })}\n`)
  writeFileSync(join(path, 'main.key'), `${MAIN_KEY}\n`, { mode: 0o600 })
  writeFileSync(join(path, 'dashboard.password'), `${PASSWORD}\n`, { mode: 0o600 })
  return path
}

/** An address of this machine where nothing listens. */
export async function deserted(): Promise<string> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return `http://127.0.0.1:${port}`
}

/** Runs a command to its end. */
export function runCli(args: readonly string[], env: Environment, input?: string): Promise<Finished> {
  return new Command(args, env, input).finished
}

/** How a command with --json ended. */
export interface Answer {
  readonly code: number | null
  /** Tests look into values of every shape. */
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  readonly value: any
  readonly stderr: string
}

/** Runs a command with --json that must print exactly one JSON value, or nothing. */
export async function jsonOf(args: readonly string[], env: Environment, input?: string): Promise<Answer> {
  const { code, stdout, stderr } = await runCli(['--json', ...args], env, input)
  return { code, value: stdout === '' ? undefined : (JSON.parse(stdout) as unknown), stderr }
}
