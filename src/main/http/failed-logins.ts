import { setTimeout as sleep } from 'node:timers/promises'
import { RateLimiterMemory } from 'rate-limiter-flexible'
import { clientNetwork } from './addresses.ts'

/** Failures that are forgotten after this many seconds. */
const MEMORY_SECONDS = 600
/** Typing errors are free; from then on the wait doubles with each failure. */
const FREE_FAILURES = 5
const FIRST_WAIT_MS = 50
const MAX_WAIT_MS = 5_000
/** On this machine a wrong key is a mistake in a script, which must not look like a bus that hangs. */
const MAX_WAIT_ON_LOOPBACK_MS = 250

/** Slows down whoever keeps presenting wrong credentials. Right ones are never delayed, and nobody is locked out. */
export class FailedLogins {
  readonly #limiter = new RateLimiterMemory({ points: FREE_FAILURES, duration: MEMORY_SECONDS })

  /** Counts a failure from this address and waits before it may be answered. */
  async note(address: string, isLoopback: boolean): Promise<void> {
    const { consumedPoints } = await this.#limiter.penalty(clientNetwork(address))
    const wait = waitAfter(consumedPoints, isLoopback)
    if (wait > 0) await sleep(wait)
  }
}

/** Milliseconds to wait after that many failures in a row. */
export function waitAfter(failures: number, isLoopback: boolean): number {
  if (failures <= FREE_FAILURES) return 0
  const wait = FIRST_WAIT_MS * 2 ** Math.min(20, failures - FREE_FAILURES - 1)
  return Math.min(wait, isLoopback ? MAX_WAIT_ON_LOOPBACK_MS : MAX_WAIT_MS)
}
