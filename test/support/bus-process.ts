import type { ChildProcess } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { HERE, type Place } from './home-network.ts'

export const ROOT = join(import.meta.dirname, '..', '..')
export const BUILT_HEADLESS = join(ROOT, 'out', 'main', 'headless.js')

/** Flags of Node that users' bus runs with: those of `npm run headless`. */
export const NODE_FLAGS = headlessFlags()

type Environment = Readonly<Record<string, string>>

/** What a process left behind. */
export interface Exit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

/** The built headless bus in a process of its own, as users start it. */
export class BusProcess implements AsyncDisposable {
  readonly process: ChildProcess
  readonly dataDir: string
  readonly exited: Promise<Exit>
  stdout = ''
  stderr = ''
  url = ''

  private constructor(child: ChildProcess, dataDir: string) {
    this.process = child
    this.dataDir = dataDir
    child.stdout!.setEncoding('utf8').on('data', (chunk: string) => (this.stdout += chunk))
    child.stderr!.setEncoding('utf8').on('data', (chunk: string) => (this.stderr += chunk))
    this.exited = new Promise((resolve) => {
      child.on('close', (code, signal) => resolve({ code, signal }))
    })
  }

  /** Starts it without waiting. `env` is added to an environment that has no variable of the bus; `place`: on which machine. */
  static spawn(dataDir: string, env: Environment = {}, args: readonly string[] = [], place: Place = HERE): BusProcess {
    const child = place.spawn(process.execPath, [...NODE_FLAGS, BUILT_HEADLESS, ...args], {
      env: { ...cleanEnvironment(), BUS_DATA_DIR: dataDir, BUS_PORT: '0', ...env },
      stdio: ['ignore', 'pipe', 'pipe']
    })
    return new BusProcess(child, dataDir)
  }

  /** Starts it and waits until it listens. Rejects with its log when it does not. */
  static async start(dataDir: string, env: Environment = {}, args: readonly string[] = [], place: Place = HERE): Promise<BusProcess> {
    const bus = BusProcess.spawn(dataDir, env, args, place)
    await bus.listening()
    return bus
  }

  async listening(): Promise<void> {
    const ended = this.exited.then(({ code }) => {
      throw new Error(`The bus ended with ${code} before it listened: ${this.stderr}`)
    })
    const heard = (async () => {
      while (!this.stdout.includes('\n')) await new Promise((resolve) => setTimeout(resolve, 10))
    })()
    await Promise.race([heard, ended])
    ended.catch(() => {})
    this.url = (this.events()[0] as { url: string }).url
  }

  /** The events on standard output so far. */
  events(): Record<string, unknown>[] {
    return this.stdout
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as Record<string, unknown>)
  }

  get mainKey(): string {
    return readFileSync(join(this.dataDir, 'main.key'), 'utf8').trim()
  }

  get password(): string {
    return readFileSync(join(this.dataDir, 'dashboard.password'), 'utf8').trim()
  }

  kill(signal: NodeJS.Signals): Promise<Exit> {
    this.process.kill(signal)
    return this.exited
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.process.exitCode === null && this.process.signalCode === null) await this.kill('SIGKILL')
  }
}

/** This process's environment without anything that configures a bus. */
export function cleanEnvironment(): Record<string, string> {
  const entries = Object.entries(process.env).filter(([name]) => !/^(BUS_|DASHBOARD_PASSWORD|INTENT_|DISPLAY|WAYLAND)/.test(name))
  return Object.fromEntries(entries) as Record<string, string>
}

function headlessFlags(): readonly string[] {
  const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { readonly scripts: { readonly headless: string } }
  const words = scripts.headless.split(' ').slice(1)
  return words.slice(0, words.findIndex((word) => !word.startsWith('--')))
}
