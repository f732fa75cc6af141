import { setTimeout as pause } from 'node:timers/promises'
import { ControlError } from '../../../shared/control/transport.ts'
import type { Operator } from '../bus/operator.ts'
import type { Context } from '../context.ts'
import type { Action } from '../command.ts'
import { EXIT, type ExitCode } from '../exit.ts'
import { describeFailure } from '../failures.ts'
import { dashboardLines } from '../top/layout.ts'
import { Screen } from '../top/screen.ts'
import { takeSnapshot, type Snapshot } from '../top/snapshot.ts'

/** Seconds. */
const INTERVAL = { min: 0.2, max: 3_600, default: 2 } as const
/** Where no terminal sets a bound. */
const PRINTED_SIZE = { columns: 100, rows: 1_000 } as const

export const top: Action = {
  name: 'top',
  summary: 'watch counts, rates, workers and failures on the whole terminal, for operators',
  usage: '',
  arity: { min: 0, max: 0 },
  options: [{ name: 'interval', value: 'seconds', summary: `how often to ask the bus (${INTERVAL.default})` }],
  details: 'q or Ctrl+C quits, r asks at once. Where the output is no terminal, or with --json, it is printed once.',

  async run(context) {
    const interval = context.args.seconds('interval', INTERVAL) ?? INTERVAL.default
    const quit = new AbortController()
    const operator = context.operator(quit.signal)
    const snapshot = await takeSnapshot(operator)
    const isWatched = context.output.isTerminal && !context.output.isJson
    if (isWatched) return new Dashboard(context, operator, quit, snapshot, interval).run()
    await print(context, snapshot)
    return EXIT.done
  }
}

async function print({ output }: Context, snapshot: Snapshot): Promise<void> {
  if (output.isJson) await output.json(snapshot)
  else await output.line(dashboardLines(snapshot, PRINTED_SIZE, output.style, '').join('\n').trimEnd())
}

/** The dashboard while it is on the terminal. */
class Dashboard {
  readonly #context: Context
  readonly #interval: number
  readonly #screen: Screen
  readonly #operator: Operator
  /** Gives up what is asked, too. */
  readonly #quit: AbortController
  #snapshot: Snapshot
  #trouble: string | undefined
  #skipPause = new AbortController()
  #exitCode: ExitCode = EXIT.done

  constructor(context: Context, operator: Operator, quit: AbortController, snapshot: Snapshot, interval: number) {
    this.#context = context
    this.#operator = operator
    this.#quit = quit
    this.#snapshot = snapshot
    this.#interval = interval
    this.#screen = new Screen(context.stdout, context.stdin, (key) => this.#press(key))
  }

  async run(): Promise<ExitCode> {
    const { signals, stdout } = this.#context
    const draw = (): void => this.#draw()
    signals.takeOver({
      onSignal: () => {
        this.#exitCode = signals.exitCode!
        this.#stop()
      }
    })
    this.#screen.enter()
    stdout.on('resize', draw)
    try {
      while (!this.#quit.signal.aborted) {
        this.#draw()
        this.#skipPause = new AbortController()
        const signal = AbortSignal.any([this.#quit.signal, this.#skipPause.signal])
        await pause(this.#interval * 1000, undefined, { signal }).catch(() => {})
        if (!this.#quit.signal.aborted) await this.#refresh()
      }
    } finally {
      stdout.off('resize', draw)
      this.#screen.leave()
    }
    return this.#exitCode
  }

  /** What is on screen stays while the bus is away. */
  async #refresh(): Promise<void> {
    try {
      this.#snapshot = await takeSnapshot(this.#operator)
      this.#trouble = undefined
    } catch (error) {
      if (this.#quit.signal.aborted) return
      if (!(error instanceof ControlError)) throw error
      this.#trouble = describeFailure(error).message
    }
  }

  #draw(): void {
    const { style } = this.#context.output
    const isWell = this.#trouble === undefined
    const footer = isWell ? `q quits   r refreshes   every ${this.#interval} s` : { text: this.#trouble!, paint: style.red }
    this.#screen.draw(dashboardLines(this.#snapshot, this.#screen.size, style, footer))
  }

  #press(key: string): void {
    if (key === 'q' || key === 'Q') this.#stop()
    else if (key === 'r') this.#skipPause.abort()
    else if (key === '\u001a') this.#screen.suspend(() => this.#draw())
    else if (key === '\u0003') {
      this.#exitCode = EXIT.interrupted
      this.#stop()
    }
  }

  #stop(): void {
    this.#quit.abort()
  }
}
