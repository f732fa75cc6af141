import type { MethodName } from '../../shared/control/contract.ts'
import { ProtocolError } from '../../shared/errors.ts'
import type { Clock } from '../bus/clock.ts'
import { isManager, shareOf, type Operator } from './operator.ts'

/** Calls that are under way at a time: each holds its input, and many of them would wait for the reading thread. */
const MAX_CALLS = 256
/** Of one who may not manage. */
const MAX_CALLS_OF_ONE = 16

/** What makes work for workers, however little it asks of the bus. */
const MAKES_WORK: ReadonlySet<string> = new Set<MethodName>([
  'intents.publish',
  'intents.duplicate',
  'intents.retry',
  'intents.bulk',
  'templates.run'
])
/** Such calls in a minute of a session that may not manage: as many requests as SPEC 15 gives a key. */
const MAX_WORK = 60
const WINDOW_SECONDS = 60

interface Window {
  readonly startedAt: number
  calls: number
}

/**
 * What operators may ask at a time. Who may not manage has a small share, and all of those together have one; who may is
 * held up by nobody but himself. Keys that may operate have a rate of their own, which counts before they come here.
 */
export class CallLimits {
  readonly #clock: Clock
  readonly #underWay = new Map<string, number>()
  #underWayOfOthers = 0
  /** By session; the oldest first. */
  readonly #windows = new Map<string, Window>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Begins a call, which is under way until the answer is called. Throws 429 `limit_exceeded` or `rate_limited`. */
  begin(operator: Operator, method: string): () => void {
    const share = shareOf(operator)
    const own = this.#underWay.get(share) ?? 0
    const isOther = !isManager(operator)
    const most = isOther ? MAX_CALLS_OF_ONE : MAX_CALLS
    if (own >= most || (isOther && this.#underWayOfOthers >= MAX_CALLS)) {
      throw new ProtocolError('limit_exceeded', `At most ${most} calls can be under way at a time; try again in a moment.`, 1)
    }
    if (isOther && operator.via === 'browser' && MAKES_WORK.has(method)) this.#countWork(share)
    this.#underWay.set(share, own + 1)
    if (isOther) this.#underWayOfOthers++
    return () => {
      const left = this.#underWay.get(share)! - 1
      if (left === 0) this.#underWay.delete(share)
      else this.#underWay.set(share, left)
      if (isOther) this.#underWayOfOthers--
    }
  }

  #countWork(share: string): void {
    const now = this.#clock.now()
    for (const [other, { startedAt }] of this.#windows) {
      if (now - startedAt >= WINDOW_SECONDS || now < startedAt) this.#windows.delete(other)
    }
    const window = this.#windows.get(share) ?? { startedAt: now, calls: 0 }
    this.#windows.set(share, window)
    if (window.calls >= MAX_WORK) {
      const wait = Math.max(1, Math.ceil(window.startedAt + WINDOW_SECONDS - now))
      throw new ProtocolError('rate_limited', `This device may publish and retry ${MAX_WORK} times a minute; try again in ${wait} s.`, wait)
    }
    window.calls++
  }
}
