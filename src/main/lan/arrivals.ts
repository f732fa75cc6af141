import type { ArrivalOutcome, ArrivalView, VisitsView } from '../../shared/control/network-views.ts'
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

/** Who a visitor was, as far as it said. */
interface Visitor {
  readonly agent: string | null
  readonly key: string | null
  readonly name: string | null
}

/** Visits of one address that went alike; who came last. */
interface Visits extends Visitor {
  readonly lastAt: number
  readonly count: number
  readonly outcome: ArrivalOutcome
}

interface Arrival {
  readonly address: string
  readonly firstAt: number
  count: number
  success: Visits | null
  trouble: Visits | null
  /** The later of the two; null until the first visit is noted. */
  last: Visits | null
}

const NOBODY: Visitor = { agent: null, key: null, name: null }

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
    return [...this.#byAddress.values()].sort((a, b) => lastAt(b) - lastAt(a)).map(viewOf)
  }

  answered(visit: Visit): void {
    const { address, keyId, name } = visit
    const arrival = this.#byAddress.get(address) ?? this.#enter(address)
    if (arrival === undefined) return
    const agent = visit.agent?.slice(0, MAX_AGENT_LENGTH) ?? null
    const { success } = arrival
    // Much of what a program gets needs no credentials: a page its parts, a worker the health of the bus.
    const isAsKnown = visit.refused === undefined && visit.credentials === 'none' && name === undefined && agent === success?.agent
    this.#note(arrival, outcomeOfRequest(visit), isAsKnown ? success : { agent, key: keyId ?? null, name: name ?? null })
  }

  left(address: string, code: string | undefined): void {
    const known = this.#byAddress.get(address)
    const outcome = outcomeOfLeaving(code)
    const isSpare = outcome === 'broke_off' && known?.last?.outcome === 'request' && this.#clock.now() - known.last.lastAt < SPARE_CONNECTIONS
    if (isSpare) return
    const arrival = known ?? this.#enter(address)
    // Who it was it has not said.
    if (arrival !== undefined) this.#note(arrival, outcome, NOBODY)
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
    const arrival: Arrival = { address, firstAt: this.#clock.now(), count: 0, success: null, trouble: null, last: null }
    this.#byAddress.set(address, arrival)
    return arrival
  }

  #forgetOldest(): void {
    const oldest = [...this.#byAddress.values()].reduce((a, b) => (lastAt(b) < lastAt(a) ? b : a))
    this.#byAddress.delete(oldest.address)
  }

  #note(arrival: Arrival, outcome: ArrivalOutcome, { agent, key, name }: Visitor): void {
    const now = this.#clock.now()
    const kind = outcome === 'request' ? 'success' : 'trouble'
    const before = arrival[kind]
    const count = before?.outcome === outcome ? before.count + 1 : 1
    arrival.count++
    arrival.last = arrival[kind] = { lastAt: now, count, outcome, agent, key, name }
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

function lastAt({ last }: Arrival): number {
  return last!.lastAt
}

function viewOf({ address, firstAt, count, success, trouble, last }: Arrival): ArrivalView {
  return { ...visitsView(last!), address, firstAt, count, success: success && visitsView(success), trouble: trouble && visitsView(trouble) }
}

function visitsView(visits: Visits): VisitsView {
  return { ...visits, ...ARRIVAL_WORDS[visits.outcome] }
}
