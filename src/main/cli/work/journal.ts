import type { ClaimedIntent, Outcome } from '../../client/index.ts'
import { cleanLine } from '../terminal/clean.ts'
import type { Output } from '../terminal/output.ts'
import type { Paint } from '../terminal/style.ts'
import { clockTime, duration, nowInSeconds } from '../terminal/time.ts'
import { padToWidth } from '../terminal/width.ts'

const WORD_WIDTH = 9
/** Digits of an id that tell intents apart which run at the same time. */
const SHORT_ID = 8

/** What is known at the end. */
interface More {
  readonly seconds?: number
  readonly error?: string
}

/** What a worker prints of its intents: lines for people, or one JSON value per line. */
export class Journal {
  readonly #output: Output
  /** Not by id: the end of some is never told, and one may be claimed again before its first attempt has ended. */
  readonly #startedAt = new WeakMap<ClaimedIntent, number>()

  constructor(output: Output) {
    this.#output = output
  }

  claimed(intent: ClaimedIntent): void {
    this.#startedAt.set(intent, performance.now())
    this.#print('claimed', intent, this.#output.style.yellow, {})
  }

  settled(outcome: Outcome, intent: ClaimedIntent): void {
    const { green, red } = this.#output.style
    const startedAt = this.#startedAt.get(intent)
    const seconds = startedAt === undefined ? 0 : Math.round(performance.now() - startedAt) / 1000
    if (outcome.status === 'fulfilled') this.#print('fulfilled', intent, green, { seconds })
    else this.#print(outcome.status, intent, red, { seconds, error: outcome.error.message })
  }

  /** A line that a program wrote to standard error. */
  said(line: string, { id }: ClaimedIntent): void {
    this.#output.note(`[${id.slice(-SHORT_ID)}] ${line}`)
  }

  #print(event: string, intent: ClaimedIntent, paint: Paint, { seconds, error }: More): void {
    const output = this.#output
    const { id, goal, namespace, claimAttempts: attempt } = intent
    const at = nowInSeconds()
    if (output.isJson) {
      void output.json({ at, event, id, goal, namespace, attempt, seconds, error })
      return
    }
    const facts = [seconds === undefined ? '' : duration(seconds), attempt > 1 ? `attempt ${attempt}` : '', error ?? '']
    const rest = cleanLine([id, goal, ...facts.filter((fact) => fact !== '')].join('  '))
    void output.line(`${output.style.dim(clockTime(at))}  ${paint(padToWidth(event, WORD_WIDTH))}  ${rest}`)
  }
}
