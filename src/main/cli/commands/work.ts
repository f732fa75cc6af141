import { hostname } from 'node:os'
import { LeaseLostError, type ClaimedIntent, type Handler, type Worker } from '../../client/index.ts'
import { MAX_GOALS, MAX_RESULT_BYTES } from '../../../shared/limits.ts'
import type { Context } from '../context.ts'
import type { Action } from '../command.ts'
import { CommandError, EXIT, UsageError } from '../exit.ts'
import { Journal } from '../work/journal.ts'
import { resultOf } from '../work/output-result.ts'
import { isProgram, runProgram, StartError } from '../work/program.ts'
import { NAMESPACE_OPTION } from './publish.ts'

const CONCURRENCY = { min: 1, max: 256 } as const
/** Timers take no more milliseconds than a signed number of 32 bits. */
const TIMEOUT = { min: 1, max: 2_147_483 } as const
/** Bytes: white space of JSON does not count for the bus. */
const MAX_OUTPUT = { min: 1, max: 1_048_576 } as const

/** Variables of the bus and its clients, in any case as on Windows: what lets one at the bus is none of a program's business. */
const OF_THE_BUS = /^(INTENT_|BUS_|DASHBOARD_PASSWORD$)/i

export const work: Action = {
  name: 'work',
  summary: 'run a program for each intent of some goals',
  usage: '<goal...> -- <program> [args...]',
  arity: { min: 1, max: MAX_GOALS },
  takesProgram: true,
  options: [
    NAMESPACE_OPTION,
    { name: 'publisher', value: 'key', summary: 'only intents of this key, by its public id' },
    { name: 'worker-id', value: 'name', summary: "the name of this worker (this machine's)" },
    { name: 'capability', value: 'capability', isRepeatable: true, summary: 'what this worker offers; may be repeated' },
    { name: 'concurrency', value: 'count', summary: 'so many intents at a time (1)' },
    { name: 'timeout', value: 'seconds', summary: 'a program that takes longer is ended, and its intent fails' },
    { name: 'max-output', value: 'bytes', summary: `a program that prints more is ended, and its intent fails (${MAX_RESULT_BYTES})` }
  ],
  details: `
    The program and its arguments are fixed; no shell sees them, nor anything of an intent. The payload comes to standard
    input as JSON; of variables of the bus the environment has INTENT_ID, INTENT_GOAL, INTENT_NAMESPACE and
    INTENT_ATTEMPT only.

    What the program prints is the result: JSON where it is JSON, else text. When it exits with another code than 0, the
    intent fails with the last line of standard error.

    The lease is extended while it runs. When it is lost all the same, the program gets SIGTERM, and SIGKILL five seconds
    later, with all that it started. Ctrl+C or SIGTERM lets running programs finish; the second one ends them and gives
    their intents back. When nobody reads the output any more, it stops like after the first one. An intent may come twice:
    programs should not mind.`,
  examples: ['intent-bus work resize -- ./resize.sh --width 800', "intent-bus work count sum --concurrency 4 -- jq '{n: length}'"],

  async run(context) {
    const { args, env, signals } = context
    const [program] = args.program
    if (program === undefined) throw new UsageError(`Name the program behind \`--\`: intent-bus work ${work.usage}.`)
    if (!isProgram(program, env)) {
      throw new UsageError(`There is no program ${program} that can be run.`, 'Give its whole path, and see that it is executable.')
    }
    const journal = new Journal(context.output)
    const runs = new Runs(context, journal)
    const worker = workerOf(context, journal, runs)
    signals.takeOver({
      onSignal: (count) => {
        if (count === 1) say(context, worker)
        if (count > 2) process.exit(signals.exitCode)
        void worker.stop({ handBack: count === 2 })
      },
      onUnread: () => void worker.stop()
    })
    runs.onStartError = () => void worker.stop()
    if (context.output.isTerminal) context.output.note(`Asking ${context.address.url} for ${args.positionals.join(', ')}. Ctrl+C stops.`)
    await worker.run()
    await runs.ended()
    if (runs.startError === undefined) return signals.exitCode ?? EXIT.done
    throw new CommandError(EXIT.refused, runs.startError.message, 'The worker stopped: no intent can be worked on like this.')
  }
}

function workerOf(context: Context, journal: Journal, runs: Runs): Worker {
  const { args, output } = context
  const goals = Object.fromEntries(args.positionals.map((goal) => [goal, runs.handler]))
  return context.client().worker({
    goals,
    namespace: args.text('namespace'),
    publisher: args.text('publisher'),
    workerId: args.text('worker-id') ?? hostname(),
    capabilities: args.texts('capability'),
    concurrency: args.wholeNumber('concurrency', CONCURRENCY),
    onClaim: (intent) => journal.claimed(intent),
    onSettled: (outcome, intent) => journal.settled(outcome, intent),
    onError: (error, intent) => {
      // That one is told as how the work ended.
      if (error instanceof LeaseLostError) return
      output.warn(intent === undefined ? error.message : `${intent.goal} ${intent.id}: ${error.message}`)
    },
    onRecovery: () => output.note('The bus answers again.')
  })
}

function say({ output }: Context, { size }: Worker): void {
  if (size > 0) output.note('No more intents are claimed; waiting for those that run. Once more ends them and gives them back.')
  else if (output.isTerminal) output.note('Stopped.')
}

/** The programs of one worker. */
class Runs {
  readonly #context: Context
  readonly #journal: Journal
  readonly #timeout: number
  readonly #maxOutput: number
  readonly #running = new Set<Promise<Buffer>>()
  startError: StartError | undefined
  onStartError = (): void => {}

  constructor(context: Context, journal: Journal) {
    this.#context = context
    this.#journal = journal
    this.#timeout = context.args.seconds('timeout', TIMEOUT) ?? Infinity
    this.#maxOutput = context.args.wholeNumber('max-output', MAX_OUTPUT) ?? MAX_RESULT_BYTES
  }

  readonly handler: Handler = async (_payload, { intent, signal }) => resultOf(await this.#run(intent, signal))

  /** Resolves when no program runs any more: one that was given back may take its time to end. */
  async ended(): Promise<void> {
    await Promise.allSettled(this.#running)
  }

  async #run(intent: ClaimedIntent, signal: AbortSignal): Promise<Buffer> {
    const run = runProgram({
      command: this.#context.args.program,
      env: environmentOf(this.#context.env, intent),
      input: `${intent.payloadText}\n`,
      timeout: this.#timeout,
      maxOutput: this.#maxOutput,
      signal,
      onErrorLine: (line) => this.#journal.said(line, intent)
    })
    this.#running.add(run)
    try {
      return await run
    } catch (error) {
      if (error instanceof StartError) {
        this.startError = error
        this.onStartError()
      }
      throw error
    } finally {
      this.#running.delete(run)
    }
  }
}

function environmentOf(env: Context['env'], intent: ClaimedIntent): Context['env'] {
  return {
    ...Object.fromEntries(Object.entries(env).filter(([name]) => !OF_THE_BUS.test(name))),
    INTENT_ID: intent.id,
    INTENT_GOAL: intent.goal,
    INTENT_NAMESPACE: intent.namespace,
    INTENT_ATTEMPT: String(intent.claimAttempts)
  }
}
