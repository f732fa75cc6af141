import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { BusProcess, cleanEnvironment, ROOT } from '../support/bus-process.ts'
import { temporaryFolder } from '../support/folders.ts'
import { exampleText } from './starter.ts'

const LONG = { timeout: 60_000 }

/** With nothing to ask a registry, and nothing to say of this machine's settings. */
const QUIET_NPM = { npm_config_audit: 'false', npm_config_fund: 'false', npm_config_update_notifier: 'false', npm_config_loglevel: 'error' }

/** The node of the tests comes first. */
const WITH_NODE = `PATH='${join(process.execPath, '..')}':"$PATH"`

interface Block {
  /** What stands behind the three ticks, as `python action`. */
  readonly kind: string
  readonly code: string
}

/** The blocks of code of a document, in their order. */
function blocksOf(document: string): Block[] {
  const text = readFileSync(join(ROOT, 'docs', document), 'utf8')
  return [...text.matchAll(/^```(\S[^\n]*)\n(.*?)^```/gms)].map(([, kind, code]) => ({ kind: kind!, code: code! }))
}

/** A home with a bus in it, and what a reader has in a clone, all of it about this bus. */
class Desk implements AsyncDisposable {
  readonly home: string
  readonly #bus: BusProcess
  readonly #folder: Disposable

  private constructor(home: string, bus: BusProcess, folder: Disposable) {
    this.home = home
    this.#bus = bus
    this.#folder = folder
  }

  static async open(): Promise<Desk> {
    const folder = temporaryFolder()
    const bus = await BusProcess.start(join(folder.path, '.config', 'intent-bus-desktop'))
    const desk = new Desk(folder.path, bus, folder)
    mkdirSync(join(folder.path, 'examples'))
    for (const file of readdirSync(join(ROOT, 'examples'))) desk.write(join('examples', file), exampleText(file))
    return desk
  }

  get env(): Record<string, string> {
    return { ...cleanEnvironment(), HOME: this.home, ...QUIET_NPM }
  }

  get keyFile(): string {
    return join(this.#bus.dataDir, 'main.key')
  }

  /** Writes a file in which this bus stands in the place of the usual one. */
  write(path: string, text: string): void {
    writeFileSync(join(this.home, path), this.here(text))
  }

  here(text: string): string {
    return text.replaceAll('http://127.0.0.1:7610', this.#bus.url)
  }

  /** Puts what a document says into a starter, before or behind what stands there. */
  change(file: string, was: string, becomes: string): void {
    const path = join(this.home, file)
    const text = readFileSync(path, 'utf8')
    expect(text.split(was)).toHaveLength(2)
    writeFileSync(path, text.replace(was, () => becomes))
  }

  /** Runs a program to its end: what it printed. */
  run(command: string, args: readonly string[]): string {
    const { stdout, stderr, status } = spawnSync(command, args.map((arg) => this.here(arg)), { cwd: this.home, encoding: 'utf8', env: this.env })
    expect([status, stderr]).toEqual([0, ''])
    return stdout
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#bus[Symbol.asyncDispose]()
    this.#folder[Symbol.dispose]()
  }
}

/** The results among lines of a log. */
function resultsIn(output: string): unknown[] {
  return output
    .split('\n')
    .filter((line) => line.includes('"status":'))
    .map((line) => (JSON.parse(line.slice(line.indexOf('{'))) as { status: string; result: unknown }).result)
}

test('bash.md does what it says', LONG, async () => {
  await using desk = await Desk.open()
  const blocks = blocksOf('bash.md')
  const action = blocks.findIndex(({ kind }) => kind === 'bash')
  // The reader edits the file while the shell stays open.
  const script = blocks.map(({ kind, code }, i) => (kind === 'sh' ? code : i === action ? 'mv changed.sh examples/worker.sh\n' : ''))
  desk.write('changed.sh', exampleText('worker.sh'))
  desk.change('changed.sh', '\n# ---- The worker --', `\n${blocks[action]!.code}\n# ---- The worker --`)
  const output = desk.run('bash', ['-c', `set -eu\n${script.join('')}`])
  expect(resultsIn(output)).toEqual([{ name: 'Ada' }, { said: 'Hello, Ada' }])
})

test('python.md does what it says', LONG, async () => {
  await using desk = await Desk.open()
  const blocks = blocksOf('python.md')
  const code = blocks.filter(({ kind }) => kind === 'python').map(({ code }) => code.replaceAll('print(ask(', 'print(json.dumps(ask(').replaceAll('wait=10"))', 'wait=10")))'))
  const action = blocks.find(({ kind }) => kind === 'python action')!
  desk.change('examples/worker.py', '\n\ndef choose(', `\n\n${action.code}\n\ndef choose(`)
  const [key, start] = blocks.filter(({ kind }) => kind === 'sh')
  desk.run('sh', ['-c', key!.code])
  // What the reader runs in another terminal.
  const worker = spawn('bash', ['-c', `${start!.code.replace('python3 ', 'exec python3 ')}`], { cwd: desk.home, env: desk.env, stdio: 'ignore' })
  const ended = new Promise((resolve) => worker.once('exit', resolve))
  try {
    expect(resultsIn(desk.run('python3', ['-c', code.join('\n')]))).toEqual([{ name: 'Ada' }, { said: 'Hello, Ada' }])
  } finally {
    worker.kill()
    await ended
  }
})

test('typescript.md does what it says', LONG, async () => {
  await using desk = await Desk.open()
  const blocks = blocksOf('typescript.md')
  const [setUp, key, first, second] = blocks.filter(({ kind }) => kind === 'sh').map(({ code }) => code)
  const program = (name: string) => blocks.find(({ kind }) => kind === `ts ${name}`)!.code
  for (const name of ['publish.ts', 'greet.ts']) desk.write(name, program(name))
  desk.write('changed.ts', exampleText('worker.ts'))
  desk.change('changed.ts', '  echo: (payload)', `${program('action')}\n  echo: (payload)`)
  const script = [setUp, key, 'cp ../clone/*.ts .\n', first, 'cp changed.ts worker.ts\n', second].join('')
  const output = desk.run('bash', ['-c', `set -eu\n${WITH_NODE}\nmkdir clone\nmv *.ts examples clone\ncd clone\n${script}`])
  expect(output).toContain("\n{ name: 'Ada' }\n")
  expect(output).toContain("\n{ said: 'Hello, Ada' }\n")
})

test('client.md does what it says', LONG, async () => {
  await using desk = await Desk.open()
  const blocks = blocksOf('client.md')
  for (const { kind, code } of blocks.filter(({ kind }) => kind.startsWith('ts '))) desk.write(kind.slice(3), code)
  const compiler = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc')
  const strict = '--noEmit --strict --module nodenext --moduleResolution nodenext --target es2023 --types node --skipLibCheck'
  const output = desk.run('bash', ['-c', `set -eu
${WITH_NODE}
npm init -y > npm.log
npm pkg set type=module
${blocks.find(({ kind }) => kind === 'sh')!.code}
ln -s '${join(ROOT, 'node_modules', '@types')}' node_modules/@types
ln -s '${join(ROOT, 'node_modules', 'undici-types')}' node_modules/undici-types
node '${compiler}' ${strict} publish.ts worker.ts events.ts values.ts
export INTENT_BUS_URL=http://127.0.0.1:7610 INTENT_API_KEY="$(cat .config/intent-bus-desktop/main.key)"
node events.ts > events.log &
EVENTS=$!
sleep 3
node worker.ts &
WORKER=$!
node publish.ts
node values.ts
wait $EVENTS
kill $WORKER
wait $WORKER || true
cat events.log`])
  expect(output).toContain("\n{ said: 'Hello, Ada' }\n")
  expect(output).toContain('12345678901234567890')
  expect(output).toMatch(/^published resize [0-9a-f]{32}$/m)
  expect(output).toMatch(/^fulfilled (resize|greet) [0-9a-f]{32}$/m)
})

describe('the documents', () => {
  test.each(['bash.md', 'powershell.md', 'python.md', 'typescript.md'])('%s names only files that are there', (document) => {
    const text = readFileSync(join(ROOT, 'docs', document), 'utf8')
    const named = [...text.matchAll(/\b(examples|resources)[\\/][\w.-]+/g)].map(([path]) => path.replace('\\', '/'))
    expect(named).not.toEqual([])
    for (const path of named) expect([path, existsSync(join(ROOT, path))]).toEqual([path, true])
    for (const [, target] of text.matchAll(/\]\((?!http)([^)#]+)\)/g)) expect(existsSync(join(ROOT, 'docs', target!))).toBe(true)
  })

  test.each([
    ['bash.md', 'worker.sh'],
    ['python.md', 'worker.py'],
    ['powershell.md', 'worker.ps1']
  ])('the lines by which %s reaches a shared bus are lines of %s', (document, starter) => {
    const section = readFileSync(join(ROOT, 'docs', document), 'utf8').split(/^## /m).find((part) => part.startsWith('From another machine'))!
    const [, block] = /^```\w+\n(.*?)^```/ms.exec(section)!
    const names = block!.trim().split('\n').map((line) => /^[$\w]+ ?= ?/.exec(line)![0])
    expect(names.length).toBeGreaterThan(1)
    const lines = exampleText(starter).split('\n')
    for (const name of names) expect([name, lines.filter((line) => line.startsWith(name)).length]).toEqual([name, 1])
  })

  test('what powershell.md puts among the actions is what its worker calls one', () => {
    const action = blocksOf('powershell.md').find(({ code }) => code.includes('greet ='))!
    expect(exampleText('worker.ps1')).toMatch(/^ {4}echo = \{\n {8}param\(\$Payload\)\n/m)
    expect(action.code).toMatch(/^ {4}greet = \{\n {8}param\(\$Payload\)\n/)
  })
})
