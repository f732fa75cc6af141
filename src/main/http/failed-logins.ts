import { setTimeout as sleep } from 'node:timers/promises'
import { ProtocolError } from '../../shared/errors.ts'
import type { Clock } from '../bus/clock.ts'
import { clientNetwork, clientOf } from '../net/addresses.ts'

/** Typing errors are free; from then on the wait doubles with each failure. */
const FREE_FAILURES = 5
const FIRST_WAIT_MS = 50
const MAX_WAIT_MS = 5_000
/** On this machine a wrong key is a mistake in a script, which must not look like a bus that hangs. */
const MAX_WAIT_ON_LOOPBACK_MS = 250
/** Failures of one client of the network that wait at a time; more are answered at once, and count like any other. */
const MAX_WAITING = 16
/** Failures that one client may have behind it; one is forgotten every so many seconds. */
const MAX_FAILURES = 100
const FORGET_SECONDS = 5
/** A machine may take any number of addresses of its IPv6 network: all of these together have so many times as much. */
const NETWORK_SHARE = 10
/** Clients that are remembered at a time. */
const MAX_CLIENTS = 10_000

/** What is remembered of a client. */
interface Failures {
  count: number
  /** When `count` was right, in Unix seconds. */
  at: number
  waiting: number
}

/**
 * Slows down whoever keeps presenting one kind of wrong credentials. Right ones are never delayed, and on this machine they
 * are looked at in any case; a client of the network that has failed very often is heard again once in a while only.
 */
export class FailedLogins {
  readonly #clock: Clock
  /** By client; who failed last comes last. */
  readonly #clients = new Map<string, Failures>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Asked before a credential that can be guessed is looked at. Throws 429 for a client of the network with too many failures. */
  admit(address: string, isLoopback: boolean): void {
    if (isLoopback) return
    const [client, network] = namesOf(address)
    const isTooMuch =
      this.#countOf(client) >= MAX_FAILURES || (network !== client && this.#countOf(network) >= MAX_FAILURES * NETWORK_SHARE)
    if (isTooMuch) throw tooMany()
  }

  /** Counts a failure from this address and waits before it may be answered; throws 429 at once where too many wait. */
  async note(address: string, isLoopback: boolean): Promise<void> {
    const [client, network] = namesOf(address)
    if (network !== client) this.#count(network, MAX_FAILURES * NETWORK_SHARE)
    const failures = this.#count(client, MAX_FAILURES)
    if (failures.waiting >= MAX_WAITING && !isLoopback) throw tooMany()
    const wait = waitAfter(failures.count, isLoopback)
    if (wait === 0) return
    failures.waiting++
    await sleep(wait)
    failures.waiting--
  }

  #count(name: string, most: number): Failures {
    const failures = this.#clients.get(name) ?? { count: 0, at: 0, waiting: 0 }
    failures.count = Math.min(most, this.#countOf(name) + 1)
    failures.at = this.#clock.now()
    this.#clients.delete(name)
    this.#clients.set(name, failures)
    if (this.#clients.size > MAX_CLIENTS) this.#clients.delete(this.#clients.keys().next().value!)
    return failures
  }

  /** Failures that are not forgotten. */
  #countOf(name: string): number {
    const failures = this.#clients.get(name)
    if (failures === undefined) return 0
    // A clock that was set is no reason to remember for longer.
    const passed = Math.abs(this.#clock.now() - failures.at)
    return Math.max(0, failures.count - Math.floor(passed / FORGET_SECONDS))
  }
}

/** Milliseconds to wait after that many failures. */
export function waitAfter(failures: number, isLoopback: boolean): number {
  if (failures <= FREE_FAILURES) return 0
  const wait = FIRST_WAIT_MS * 2 ** Math.min(20, failures - FREE_FAILURES - 1)
  return Math.min(wait, isLoopback ? MAX_WAIT_ON_LOOPBACK_MS : MAX_WAIT_MS)
}

/** A client, and the network that it shares with others. */
function namesOf(address: string): readonly [client: string, network: string] {
  return [clientOf(address), clientNetwork(address)]
}

function tooMany(): ProtocolError {
  return new ProtocolError('rate_limited', 'Too many wrong credentials come from this address; try again in a moment.', FORGET_SECONDS)
}
