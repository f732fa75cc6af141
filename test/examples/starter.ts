import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { KeySource } from '../../src/renderer/lib/text/programs.ts'
import { configureStarter, type StarterId } from '../../src/renderer/lib/text/starters.ts'
import { cleanEnvironment, ROOT, type Exit } from '../support/bus-process.ts'
import { temporaryFolder } from '../support/folders.ts'

/** What runs here; there is no PowerShell. */
export const LANGUAGES = ['bash', 'python', 'typescript'] as const
export type Language = (typeof LANGUAGES)[number]

/** Python itself, which unlike a command of that name starts without a PATH. */
export const PYTHON = spawnSync('python3', ['-c', 'import sys; print(sys.executable)'], { encoding: 'utf8' }).stdout.trim()

const PROGRAMS: Readonly<Record<StarterId, { readonly file: string; readonly command: string }>> = {
  bash: { file: 'worker.sh', command: 'bash' },
  powershell: { file: 'worker.ps1', command: 'pwsh' },
  python: { file: 'worker.py', command: PYTHON },
  'python-sdk': { file: 'worker-sdk.py', command: PYTHON },
  typescript: { file: 'worker.ts', command: process.execPath },
  notification: { file: 'send_notification.py', command: PYTHON },
  'event-log': { file: 'log_event.py', command: PYTHON }
}

/** The same action in each language: leaves a byte behind in the file `ran`, each time it runs. */
export const LEAVES_TRACES: Readonly<Record<Language, readonly [was: string, becomes: string]>> = {
  bash: ['action_echo() {\n', 'action_echo() {\n  printf x >> ~/ran\n'],
  python: ['def echo(intent, stop):\n', 'def echo(intent, stop):\n    with open(os.path.expanduser("~/ran"), "a") as file:\n        file.write("x")\n'],
  typescript: ['  echo: (payload) => payload,', "  echo: async (payload) => (await appendFile(join(homedir(), 'ran'), 'x'), payload),"]
}

export function exampleText(file: string): string {
  return readFileSync(join(ROOT, 'examples', file), 'utf8')
}

export interface StarterOptions {
  readonly url: string
  /** Stands in the environment. */
  readonly key?: string
  /** What the interface would say of the key. */
  readonly source?: KeySource
  readonly goal?: string
  readonly namespace?: string
  /** Another program than the worker of its language. */
  readonly file?: string
  /** What its user changed in it. */
  readonly changes?: readonly (readonly [was: string, becomes: string])[]
  readonly env?: Readonly<Record<string, string>>
  /** A home that was used before. */
  readonly home?: string
}

/** A starter that runs, saved as a file as users do, in a home of its own. */
export class Starter implements AsyncDisposable {
  readonly process: ChildProcess
  readonly home: string
  readonly exited: Promise<Exit>
  /** All that it said. */
  output = ''
  readonly #folder: Disposable | null

  constructor(id: StarterId, { url, key = '', source = null, goal = 'greet', namespace = 'default', changes = [], ...given }: StarterOptions) {
    const folder = given.home === undefined ? temporaryFolder() : null
    this.#folder = folder
    this.home = given.home ?? folder!.path
    const { file, command } = PROGRAMS[id]
    let program = configureStarter(id, exampleText(given.file ?? file), { url, key: source, goal, namespace })
    if (id === 'typescript') {
      this.#linkClient()
      program = `import { appendFile } from 'node:fs/promises'\n${program}`
    }
    for (const [was, becomes] of changes) {
      if (program.split(was).length !== 2) throw new Error(`The starter does not have once: ${was}`)
      program = program.replace(was, () => becomes)
    }
    const path = join(this.home, given.file ?? file)
    writeFileSync(path, program)
    const env = { ...cleanEnvironment(), HOME: this.home, INTENT_API_KEY: key, PYTHONDONTWRITEBYTECODE: '1', ...pythonSdk(id), ...given.env }
    this.process = spawn(command, [path], { cwd: this.home, env, stdio: ['ignore', 'pipe', 'pipe'] })
    for (const stream of [this.process.stdout!, this.process.stderr!]) {
      stream.setEncoding('utf8').on('data', (chunk: string) => (this.output += chunk))
    }
    this.exited = new Promise((resolve) => void this.process.on('exit', (code, signal) => resolve({ code, signal })))
  }

  /** How often the action of LEAVES_TRACES ran. */
  get traces(): number {
    try {
      return readFileSync(join(this.home, 'ran'), 'utf8').length
    } catch {
      return 0
    }
  }

  kill(signal: NodeJS.Signals): Promise<Exit> {
    this.process.kill(signal)
    return this.exited
  }

  /** Tells it to stop until it does, so that nothing that it started stays behind. */
  async [Symbol.asyncDispose](): Promise<void> {
    const isGone = (): boolean => this.process.exitCode !== null || this.process.signalCode !== null
    for (const signal of ['SIGTERM', 'SIGTERM', 'SIGKILL'] as const) {
      if (!isGone()) {
        this.process.kill(signal)
        await Promise.race([this.exited, new Promise((resolve) => setTimeout(resolve, 3_000))])
      }
    }
    this.#folder?.[Symbol.dispose]()
  }

  #linkClient(): void {
    const modules = join(this.home, 'node_modules')
    mkdirSync(modules, { recursive: true })
    rmSync(join(modules, 'intent-bus-client'), { force: true })
    symlinkSync(clientPackage(), join(modules, 'intent-bus-client'))
    writeFileSync(join(this.home, 'package.json'), '{"type":"module"}')
  }
}

/** Where the protocol's SDK for Python is found, if it has to be: itself where it is installed, else what stands in for it. */
function pythonSdk(id: StarterId): Readonly<Record<string, string>> {
  if (id !== 'python-sdk') return {}
  isSdkInstalled ??= spawnSync(PYTHON, ['-c', SDK_WITHOUT_TOKENS]).status === 0
  return isSdkInstalled ? {} : { PYTHONPATH: join(ROOT, 'test', 'support', 'python') }
}

const SDK_WITHOUT_TOKENS = `
import inspect, intent_bus
assert "claim_token" not in inspect.signature(intent_bus.IntentClient.fulfill).parameters`

let isSdkInstalled: boolean | null = null

let built: string | null = null

/** The folder of the built client; built when this process first asks for it, which takes some seconds. */
export function clientPackage(): string {
  if (built !== null) return built
  const folder = temporaryFolder()
  process.once('exit', () => folder[Symbol.dispose]())
  const path = join(folder.path, 'intent-bus-client')
  const { status, stdout, stderr } = spawnSync(process.execPath, ['resources/build-client.mjs', path], { cwd: ROOT, encoding: 'utf8' })
  if (status !== 0) throw new Error(`The client was not built.\n${stdout}${stderr}`)
  built = path
  return path
}
