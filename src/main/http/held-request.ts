import type { IncomingMessage } from 'node:http'
import * as requests from '../../shared/requests.ts'
import type { Wait } from '../bus/bus.ts'
import { query, type Exchange } from './exchange.ts'

/** Milliseconds of silence after which the system probes whether the peer of a connection is still there. */
const PROBE_AFTER_MS = 15_000

/** A request that asks to be held until there is something to answer (`wait`). */
export class HeldRequest implements Wait {
  readonly seconds: number
  readonly signal: AbortSignal
  readonly #asked: number
  #isHeld = false

  private constructor(ctx: Exchange, seconds: number, isClosing: boolean) {
    const gone = new AbortController()
    ctx.res.once('close', () => gone.abort())
    probeWhileSilent(ctx)
    this.#asked = seconds
    // A connection that is about to be closed gets its answer at once.
    this.seconds = isClosing ? 0 : seconds
    this.signal = gone.signal
  }

  /** undefined for a request that does not ask. Throws 400 `invalid_wait`. */
  static of(ctx: Exchange, isClosing: (req: IncomingMessage) => boolean): HeldRequest | undefined {
    const seconds = requests.readWait(query(ctx.state, 'wait'))
    return seconds === undefined ? undefined : new HeldRequest(ctx, seconds, isClosing(ctx.req))
  }

  get isHeld(): boolean {
    return this.#isHeld
  }

  onHeld(): void {
    this.#isHeld = true
  }

  /** Tells how many seconds the request could be held; 0 for one that was sent away with nothing at once. */
  headers(hasAnswer: boolean): readonly string[] {
    return ['X-Intent-Wait', String(this.#isHeld || hasAnswer ? this.#asked : 0)]
  }
}

/** A peer that vanished without a word is found out while nothing is said. */
export function probeWhileSilent({ req }: Exchange): void {
  req.socket.setKeepAlive(true, PROBE_AFTER_MS)
}
