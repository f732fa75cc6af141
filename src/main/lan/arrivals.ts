import type { ArrivalOutcome, ArrivalView } from '../../shared/control/network-views.ts'
import type { Clock } from '../bus/clock.ts'
import { isLoopback } from '../net/addresses.ts'
import type { Visit, Visitors } from '../net/http-server.ts'
import { ARRIVAL_WORDS, outcomeOfLeaving, outcomeOfRequest } from './arrival-words.ts'

const MAX_ARRIVALS = 100
const MAX_AGENT_LENGTH = 160
/** Seconds between two notices: more often nobody looks. */
const NOTICE_INTERVAL = 1
/** Seconds after a request in which a connection that is left unused says nothing: browsers open some to spare. */
const SPARE_CONNECTIONS = 30

interface Arrival {
  readonly address: string
  readonly firstAt: number
  lastAt: number
  count: number
  outcome: ArrivalOutcome
  agent: string | null
  key: string | null
  name: string | null
}

/** Who came from other machines, and how it went: the last of each address. */
export class Arrivals implements Visitors {
  readonly #clock: Clock
  readonly #isOwn: (address: string) => boolean
  readonly #onChange: () => void
  readonly #byAddress = new Map<string, Arrival>()
  #noticedAt = -Infinity
  #cancelNotice: (() => void) | undefined

  /** `isOwn`: whether an address is this machine's. `onChange` is called once a second at most. */
  constructor(clock: Clock, isOwn: (address: string) => boolean, onChange: () => void) {
    this.#clock = clock
    this.#isOwn = isOwn
    this.#onChange = onChange
  }

  /** Newest first. */
  get view(): readonly ArrivalView[] {
    return [...this.#byAddress.values()].sort((a, b) => b.lastAt - a.lastAt).map((arrival) => ({ ...arrival, ...ARRIVAL_WORDS[arrival.outcome] }))
  }

  answered(visit: Visit): void {
    const { address, keyId, name } = visit
    const arrival = this.#byAddress.get(address) ?? this.#enter(address)
    if (arrival === undefined) return
    const agent = visit.agent?.slice(0, MAX_AGENT_LENGTH) ?? null
    // Much of what a program asks for needs no credentials: a page for its parts, a worker for the health of the bus.
    const isAsKnown = visit.credentials === 'none' && name === undefined && agent === arrival.agent
    if (!isAsKnown) {
      arrival.key = keyId ?? null
      arrival.name = name ?? null
    }
    arrival.outcome = outcomeOfRequest(visit)
    arrival.agent = agent
    this.#note(arrival)
  }

  left(address: string, code: string | undefined): void {
    const known = this.#byAddress.get(address)
    const outcome = outcomeOfLeaving(code)
    const isSpare = outcome === 'broke_off' && known?.outcome === 'request' && this.#clock.now() - known.lastAt < SPARE_CONNECTIONS
    if (isSpare) return
    const arrival = known ?? this.#enter(address)
    if (arrival === undefined) return
    arrival.outcome = outcome
    this.#note(arrival)
  }

  /** No more notices. */
  close(): void {
    this.#cancelNotice?.()
    this.#cancelNotice = undefined
    this.#noticedAt = Infinity
  }

  /** undefined for this machine itself, and for a peer that could not be told. */
  #enter(address: string): Arrival | undefined {
    if (address === '' || isLoopback(address) || this.#isOwn(address)) return undefined
    if (this.#byAddress.size >= MAX_ARRIVALS) this.#forgetOldest()
    const now = this.#clock.now()
    const arrival: Arrival = { address, firstAt: now, lastAt: now, count: 0, outcome: 'request', agent: null, key: null, name: null }
    this.#byAddress.set(address, arrival)
    return arrival
  }

  #forgetOldest(): void {
    const oldest = [...this.#byAddress.values()].reduce((a, b) => (b.lastAt < a.lastAt ? b : a))
    this.#byAddress.delete(oldest.address)
  }

  #note(arrival: Arrival): void {
    const now = this.#clock.now()
    arrival.lastAt = now
    arrival.count++
    if (this.#cancelNotice !== undefined) return
    const wait = this.#noticedAt + NOTICE_INTERVAL - now
    if (wait === Infinity) return
    this.#cancelNotice = this.#clock.after(Math.max(0, wait), () => {
      this.#cancelNotice = undefined
      this.#noticedAt = this.#clock.now()
      this.#onChange()
    })
  }
}
