import { setTimeout as sleep } from 'node:timers/promises'
import { RateLimiterMemory } from 'rate-limiter-flexible'
import { ProtocolError } from '../../shared/errors.ts'
import { clientNetwork } from './addresses.ts'

/** Failures that are forgotten after this many seconds. */
const MEMORY_SECONDS = 600
/** Typing errors are free; from then on the wait doubles with each failure. */
const FREE_FAILURES = 5
const FIRST_WAIT_MS = 50
const MAX_WAIT_MS = 5_000
/** On this machine a wrong key is a mistake in a script, which must not look like a bus that hangs. */
const MAX_WAIT_ON_LOOPBACK_MS = 250
/** Failures of one client that wait at a time: waiting slows a guesser down only where guesses cannot all wait together. */
const MAX_WAITING = 16

/** Slows down whoever keeps presenting wrong credentials. Keys that are right are never delayed, and nobody stays locked out. */
export class FailedLogins {
  readonly #limiter = new RateLimiterMemory({ points: FREE_FAILURES, duration: MEMORY_SECONDS })
  /** How many failures of each client wait. */
  readonly #waiting = new Map<string, number>()

  /** Asked before a password is looked at. Throws 429 while as many failures from this address wait as may. */
  admit(address: string): void {
    if (this.#waitingOf(clientNetwork(address)) >= MAX_WAITING) throw tooMany()
  }

  /** Counts a failure from this address and waits before it may be answered; throws 429 at once where too many wait. */
  async note(address: string, isLoopback: boolean): Promise<void> {
    const client = clientNetwork(address)
    const waiting = this.#waitingOf(client)
    if (waiting >= MAX_WAITING) throw tooMany()
    this.#waiting.set(client, waiting + 1)
    try {
      const { consumedPoints } = await this.#limiter.penalty(client)
      const wait = waitAfter(consumedPoints, isLoopback)
      if (wait > 0) await sleep(wait)
    } finally {
      const left = this.#waitingOf(client) - 1
      if (left === 0) this.#waiting.delete(client)
      else this.#waiting.set(client, left)
    }
  }

  #waitingOf(client: string): number {
    return this.#waiting.get(client) ?? 0
  }
}

/** Milliseconds to wait after that many failures in a row. */
export function waitAfter(failures: number, isLoopback: boolean): number {
  if (failures <= FREE_FAILURES) return 0
  const wait = FIRST_WAIT_MS * 2 ** Math.min(20, failures - FREE_FAILURES - 1)
  return Math.min(wait, isLoopback ? MAX_WAIT_ON_LOOPBACK_MS : MAX_WAIT_MS)
}

function tooMany(): ProtocolError {
  return new ProtocolError('rate_limited', 'Too many wrong credentials come from this address; try again in a moment.', MAX_WAIT_MS / 1000)
}
