import type { ProtocolError } from '../../../shared/errors.ts'
import type { ClaimRequest } from '../../../shared/requests.ts'
import type { Caller } from '../caller.ts'
import type { Clock } from '../clock.ts'
import type { Claimed } from '../intents/claimed.ts'
import type { Wait } from '../settled-waits.ts'
import type { Routing } from '../store/lanes.ts'
import { Dues } from './dues.ts'
import { patternKey, patternsOf, type Pattern } from './patterns.ts'
import { Waiter } from './waiter.ts'

/** What a parked claim is served with: see Claiming. */
export interface Counter {
  /** Takes the best intent for it, inside a transaction; null when there is none, 'later' when that cannot be said yet. */
  serve(waiter: Waiter, now: number): Claimed | null | 'later'
  /** Tells when what it may take falls due. */
  tellDues(waiter: Waiter, now: number, tell: (pattern: Pattern, at: number) => void): void
}

interface Claimable {
  /** Each with the longest waiting of those who may take it, as far as it was looked for. */
  readonly patterns: Map<string, { readonly pattern: Pattern; first?: Waiter | undefined }>
  /** More of them may fall due later, at a time that is not noted yet. */
  readonly hasLater: boolean
}

/** Where parked claims look that one transaction tries: some 5 ms. */
const MAX_TRIED = 512
/** Of what fell due nobody knows which patterns belong to one intent, so it is one heap. */
const DUE = ''

/**
 * Claims that wait for something to do. What makes an intent claimable is noted in its transaction, and at the end of the
 * same transaction the intent goes to whoever has waited longest among those who may take it: one sync of the disk for
 * both. Nobody else is woken.
 */
export class Parking {
  readonly #clock: Clock
  readonly #wake: () => void
  readonly #dues: Dues
  /** Waiters by what they ask for, each in order of place. */
  readonly #buckets = new Map<string, Map<number, Waiter>>()
  readonly #byKey = new Map<string, Set<Waiter>>()
  /** Waiters to be tried whatever arrived. */
  readonly #untried = new Set<Waiter>()
  /** What may be claimable now, by the patterns of an intent that arrived, or of all that fell due. */
  readonly #claimable = new Map<string, Claimable>()
  #places = 0
  /** Not all could be tried in the running transaction. */
  #isUnfinished = false
  /** Whose service broke the running transaction, and how. */
  #broken: { readonly waiter: Waiter; readonly error: Error } | undefined
  #size = 0
  /** Of the running transaction. */
  #arrivals: { readonly routing: Routing; readonly runAt: number }[] = []
  #parked: Waiter[] = []
  #served: { readonly waiter: Waiter; readonly claimed: Claimed }[] = []

  /** `wake` runs a transaction soon. */
  constructor(clock: Clock, wake: () => void) {
    this.#clock = clock
    this.#wake = wake
    this.#dues = new Dues(clock, wake)
  }

  /** How many claims wait. */
  get size(): number {
    return this.#size
  }

  /** How many claims of a key wait. */
  waitsOf(keyId: string): number {
    return this.#byKey.get(keyId)?.size ?? 0
  }

  /** Lets a claim that found nothing wait, inside its transaction. */
  park(caller: Caller, request: ClaimRequest, publisherId: string | null, counter: Counter, now: number): Waiter {
    const waiter = new Waiter(caller, request, publisherId, ++this.#places)
    this.#add(waiter)
    this.#parked.push(waiter)
    this.#noteDues(waiter, counter, now)
    return waiter
  }

  /** Ends the wait after some seconds or with the signal, whichever is first. After the transaction that parked it. */
  watch(waiter: Waiter, { seconds, signal }: Wait): void {
    const leave = (): void => {
      if (this.#remove(waiter)) waiter.settle(null)
    }
    const cancel = this.#clock.after(seconds, leave)
    signal.addEventListener('abort', leave)
    if (signal.aborted) leave()
    const stop = (): void => {
      cancel()
      signal.removeEventListener('abort', leave)
    }
    waiter.answer.then(stop, stop)
  }

  /** An intent became open inside the running transaction, claimable from `runAt` (Unix seconds) on. */
  arrived(routing: Routing, runAt: number): void {
    if (this.#size > 0) this.#arrivals.push({ routing, runAt })
  }

  /** Tries all who wait, the longest waiting first: something that concerned all of them has changed. */
  tryAll(): void {
    this.#tryAll()
    if (this.#untried.size > 0) this.#wake()
  }

  /** Gives what is claimable to those who wait for it. Behind all operations of a transaction. */
  serve(counter: Counter, now: number): void {
    this.#sort(now)
    let left = MAX_TRIED
    const handOver = (waiter: Waiter): boolean | 'later' => {
      if (left <= 0) return 'later'
      left -= waiter.buckets.length
      const claimed = this.#serve(waiter, counter, now)
      if (claimed === 'later') return claimed
      this.#untried.delete(waiter)
      if (claimed === null) return false
      this.#remove(waiter)
      this.#served.push({ waiter, claimed })
      return true
    }
    for (const waiter of this.#untried) {
      const isServed = handOver(waiter)
      if (isServed === 'later') return this.#goOnLater()
      // What it was to be woken for may have been forgotten meanwhile.
      if (!isServed) this.#noteDues(waiter, counter, now)
    }
    for (const [key, { patterns, hasLater }] of this.#claimable) {
      for (let first = this.#firstFor(patterns); first !== undefined; first = this.#firstFor(patterns)) {
        const isServed = handOver(first.waiter)
        if (isServed === 'later') return this.#goOnLater()
        if (isServed) continue
        // It may take this pattern and got nothing, so there is nothing of it for anybody.
        patterns.delete(first.key)
        if (hasLater) this.#noteDues(first.waiter, counter, now)
      }
      this.#claimable.delete(key)
    }
  }

  /** What is left over is tried in another transaction, once this one is on disk: a disk in trouble gets its rest. */
  #goOnLater(): void {
    this.#isUnfinished = true
  }

  #serve(waiter: Waiter, counter: Counter, now: number): Claimed | null | 'later' {
    try {
      return counter.serve(waiter, now)
    } catch (error) {
      this.#broken = { waiter, error: error as Error }
      throw error
    }
  }

  /** The transaction is over and what it wrote is on disk. */
  committed(): void {
    if (this.#isUnfinished) {
      this.#isUnfinished = false
      this.#wake()
    }
    if (this.#parked.length > 0) this.#parked = []
    if (this.#arrivals.length > 0) this.#arrivals = []
    if (this.#served.length === 0) return
    const served = this.#served
    this.#served = []
    for (const { waiter, claimed } of served) waiter.settle(claimed)
  }

  /** The transaction came to nothing. */
  rolledBack(): void {
    // Whoever parked in that transaction is told by its own operation.
    for (const waiter of this.#parked) this.#remove(waiter)
    const parked = new Set(this.#parked)
    this.#addAgain(this.#served.map(({ waiter }) => waiter).filter((waiter) => !parked.has(waiter)))
    this.#parked = []
    this.#served = []
    this.#arrivals = []
    this.#claimable.clear()
    this.#isUnfinished = false
    if (this.#broken !== undefined) {
      const { waiter, error } = this.#broken
      this.#broken = undefined
      if (this.#remove(waiter)) waiter.refuse(error)
    }
    if (this.#size === 0) return
    // Which arrivals came true is not known any more. The sweep sees to it that there is another transaction soon.
    this.#tryAll()
  }

  /** Refuses the waits of a key that counts no more. */
  refuse(keyId: string, error: ProtocolError): void {
    for (const waiter of [...(this.#byKey.get(keyId) ?? [])]) {
      this.#remove(waiter)
      waiter.refuse(error)
    }
  }

  /** Ends the waits of a key: who waited gets nothing and asks again. */
  endOf(keyId: string): void {
    for (const waiter of [...(this.#byKey.get(keyId) ?? [])]) {
      this.#remove(waiter)
      waiter.settle(null)
    }
  }

  /** Ends all waits in this way. */
  end(): void {
    for (const keyId of [...this.#byKey.keys()]) this.endOf(keyId)
    this.#dues.close()
  }

  #tryAll(): void {
    const all = [...this.#byKey.values()].flatMap((waiters) => [...waiters])
    for (const waiter of all.sort((a, b) => a.place - b.place)) this.#untried.add(waiter)
  }

  /** What arrived is claimable now or later. */
  #sort(now: number): void {
    for (const { routing, runAt } of this.#arrivals) {
      const { namespace, goal, publisher, visibility, targetWorker, requiredCapability } = routing
      const key = JSON.stringify([namespace, goal, publisher, visibility, targetWorker, requiredCapability])
      for (const pattern of patternsOf(routing)) {
        if (this.#firstIn(pattern) === undefined) continue
        if (runAt > now) this.#dues.note(pattern, runAt)
        else this.#noteClaimable(key, pattern, false)
      }
    }
    this.#arrivals = []
    for (const pattern of this.#dues.take(now)) this.#noteClaimable(DUE, pattern, true)
  }

  #noteClaimable(key: string, pattern: Pattern, hasLater: boolean): void {
    const known = this.#claimable.get(key)
    if (known === undefined) this.#claimable.set(key, { patterns: new Map([[patternKey(pattern), { pattern }]]), hasLater })
    else known.patterns.set(patternKey(pattern), { pattern })
  }

  /** Who has waited longest for one of these patterns. */
  #firstFor(patterns: Claimable['patterns']): { waiter: Waiter; key: string } | undefined {
    let first: { waiter: Waiter; key: string } | undefined
    for (const [key, entry] of patterns) {
      if (entry.first === undefined || !this.#isParked(entry.first)) entry.first = this.#firstIn(entry.pattern)
      const waiter = entry.first
      if (waiter === undefined) patterns.delete(key)
      else if (first === undefined || waiter.place < first.waiter.place) first = { waiter, key }
    }
    return first
  }

  #isParked(waiter: Waiter): boolean {
    return this.#byKey.get(waiter.caller.key.id)?.has(waiter) === true
  }

  #firstIn(pattern: Pattern): Waiter | undefined {
    for (const waiter of this.#buckets.get(pattern.bucket)?.values() ?? []) if (waiter.takes(pattern)) return waiter
    return undefined
  }

  #noteDues(waiter: Waiter, counter: Counter, now: number): void {
    counter.tellDues(waiter, now, (pattern, at) => this.#dues.note(pattern, at))
  }

  #add(waiter: Waiter): void {
    this.#size++
    const { id } = waiter.caller.key
    const ofKey = this.#byKey.get(id)
    if (ofKey === undefined) this.#byKey.set(id, new Set([waiter]))
    else ofKey.add(waiter)
    for (const name of waiter.buckets) {
      const bucket = this.#buckets.get(name)
      if (bucket === undefined) this.#buckets.set(name, new Map([[waiter.place, waiter]]))
      else bucket.set(waiter.place, waiter)
    }
  }

  /** Puts waiters back where they were. */
  #addAgain(waiters: readonly Waiter[]): void {
    for (const waiter of waiters) this.#add(waiter)
    for (const name of new Set(waiters.flatMap(({ buckets }) => buckets))) {
      this.#buckets.set(name, new Map([...this.#buckets.get(name)!].sort(([a], [b]) => a - b)))
    }
  }

  /** Whether it was there. */
  #remove(waiter: Waiter): boolean {
    const ofKey = this.#byKey.get(waiter.caller.key.id)
    if (ofKey?.delete(waiter) !== true) return false
    this.#size--
    this.#untried.delete(waiter)
    if (ofKey.size === 0) this.#byKey.delete(waiter.caller.key.id)
    for (const name of waiter.buckets) {
      const bucket = this.#buckets.get(name)
      bucket?.delete(waiter.place)
      if (bucket?.size === 0) this.#buckets.delete(name)
    }
    return true
  }
}
