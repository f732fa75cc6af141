import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { cleanEnvironment } from '../support/bus-process.ts'
import { temporaryFolder } from '../support/folders.ts'
import { diesWithUs } from './children.ts'
import { runLoad } from './measure.ts'
import { count, number, type Findings } from './report.ts'
import type { Settings } from './settings.ts'

const AIM_MS = 10

interface Figures {
  readonly late: readonly number[]
  readonly frames: number
}

/** How late the timers of the desktop's main thread are while its bus is loaded and every sync takes 15 ms more. */
export async function mainThread(settings: Settings, note: (text: string) => void): Promise<Findings> {
  const { connections, seconds } = settings.mainThread
  using folder = temporaryFolder()
  const library = join(folder.path, 'slow-sync.so')
  const compiled = spawnSync('cc', ['-shared', '-fPIC', '-O2', '-o', library, join(import.meta.dirname, 'slow-sync.c'), '-ldl'])
  if (compiled.status !== 0) return { tables: [], ratios: [], figures: 'This needs a C compiler (cc), and Linux.' }
  const rows: [name: string, Figures, perSecond: number | undefined][] = []
  for (const [name, preload] of [['the disk as it is', ''], ['every sync 15 ms slower', library]] as const) {
    note(name)
    await using shell = await ShellProcess.start(join(folder.path, name.replaceAll(' ', '-')), preload)
    await new Promise((resolve) => setTimeout(resolve, 300))
    await shell.ask()
    await new Promise((resolve) => setTimeout(resolve, seconds * 1000))
    rows.push([`idle, ${name}`, await shell.ask(), undefined])
    const load = await runLoad({ url: shell.url, key: shell.key, connections, seconds, signed: false })
    rows.push([`${connections} clients, ${name}`, await shell.ask(), load.perSecond])
  }
  const slowest = rows.at(-1)![1]
  return {
    tables: [
      {
        title: 'Milliseconds that timers of the main thread are late',
        columns: ['', 'lifecycles a second', 'frames', 'p50', 'p99', 'most'],
        rows: rows.map(([name, { late, frames }, perSecond]) => [
          name,
          perSecond === undefined ? '-' : number(perSecond),
          count(frames),
          number(quantile(late, 0.5)),
          number(quantile(late, 0.99)),
          number(quantile(late, 1))
        ])
      }
    ],
    ratios: [
      { name: 'p99 of the main thread in ms, loaded, slow disk', value: quantile(slowest.late, 0.99), aim: { atMost: AIM_MS } }
    ],
    figures: rows.map(([name, { late, frames }, perSecond]) => ({ name, perSecond, frames, p99: quantile(late, 0.99) }))
  }
}

function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? NaN
}

/** shell-process.ts in a process of its own, with a library preloaded. */
class ShellProcess implements AsyncDisposable {
  readonly #child: ChildProcess
  readonly #lines: AsyncIterator<string>
  url = ''
  key = ''

  private constructor(child: ChildProcess) {
    this.#child = child
    this.#lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]()
  }

  static async start(dataDir: string, preload: string): Promise<ShellProcess> {
    const child = spawn(process.execPath, [join(import.meta.dirname, 'shell-process.ts')], {
      env: { ...cleanEnvironment(), BUS_DATA_DIR: dataDir, BUS_PORT: '0', ...(preload !== '' && { LD_PRELOAD: preload }) },
      stdio: ['pipe', 'pipe', 'inherit']
    })
    diesWithUs(child)
    const shell = new ShellProcess(child)
    const { status, key } = JSON.parse(await shell.#line()) as { status: { listener: { url: string } }; key: { secret: string } }
    shell.url = status.listener.url
    shell.key = key.secret
    return shell
  }

  /** What was measured since it was asked before. */
  async ask(): Promise<Figures> {
    this.#child.stdin!.write('\n')
    return JSON.parse(await this.#line()) as Figures
  }

  async #line(): Promise<string> {
    const { value, done } = await this.#lines.next()
    if (done === true) throw new Error('The main thread ended before it answered.')
    return value
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = new Promise((resolve) => this.#child.once('exit', resolve))
    this.#child.kill('SIGKILL')
    await ended
  }
}
