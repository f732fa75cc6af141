import type { Random } from './random.ts'

/**
 * Ids of intents. Of the 32 hex digits (SPEC 4.2) the first 14 are a number that grows with time and is also the rowid,
 * so that inserts append and the order of ids is the order of age; the other 18 are random.
 */
export interface IntentId {
  /** Rowid: milliseconds of Unix time times 2,048, and a counter within the millisecond. Below 2^53 until the year 2109. */
  readonly n: number
  /** 18 hex digits of chance. */
  readonly tail: string
}

/** Ids that a millisecond has room for. */
export const TICKS_PER_MS = 2_048
const ID_PATTERN = /^[0-9a-f]{32}$/
const TAIL_BYTES = 9

export function formatId(n: number, tail: string): string {
  return n.toString(16).padStart(14, '0') + tail
}

/** undefined when the text cannot be an id of this bus. */
export function parseId(id: string): IntentId | undefined {
  if (!ID_PATTERN.test(id)) return undefined
  const n = parseInt(id.slice(0, 14), 16)
  return Number.isSafeInteger(n) ? { n, tail: id.slice(14) } : undefined
}

/** Makes ids that never go back, not even when the clock does. */
export class IdSource {
  #last: number
  readonly #random: Random

  /** `last`: the greatest `n` given out so far. */
  constructor(last: number, random: Random) {
    this.#last = last
    this.#random = random
  }

  /** The greatest `n` given out so far. */
  get last(): number {
    return this.#last
  }

  /** An id from elsewhere is in use: those that follow come behind it. */
  noteUsed(n: number): void {
    this.#last = Math.max(this.#last, n)
  }

  /** `now` is Unix time in seconds. */
  next(now: number): IntentId {
    this.#last = Math.max(this.#last + 1, Math.floor(now * 1000) * TICKS_PER_MS)
    return { n: this.#last, tail: this.#random.hex(TAIL_BYTES) }
  }
}
