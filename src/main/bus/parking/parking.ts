import { ProtocolError } from '../../../shared/errors.ts'
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
  readonly patterns: Map<string, Pattern>
  /** More of them may fall due later, at a time that is not noted yet. */
  readonly hasLater: boolean
}

/** Parked claims that one transaction tries: some 5 ms. */
const MAX_TRIED = 128
/** Seconds until those who wait are tried again after a transaction that failed. */
const RETRY_AFTER = 1
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
  #cancelRetry: (() => void) | undefined
  #places = 0
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
      const claimed = left-- > 0 ? counter.serve(waiter, now) : 'later'
      if (claimed === 'later') return claimed
      this.#untried.delete(waiter)
      if (claimed === null) return false
      this.#remove(waiter)
      this.#served.push({ waiter, claimed })
      return true
    }
    for (const waiter of this.#untried) if (handOver(waiter) === 'later') return this.#wake()
    for (const [key, { patterns, hasLater }] of this.#claimable) {
      for (let first = this.#firstFor(patterns); first !== undefined; first = this.#firstFor(patterns)) {
        const isServed = handOver(first.waiter)
        if (isServed === 'later') return this.#wake()
        if (isServed) continue
        // It may take this pattern and got nothing, so there is nothing of it for anybody.
        patterns.delete(first.key)
        if (hasLater) this.#noteDues(first.waiter, counter, now)
      }
      this.#claimable.delete(key)
    }
  }

  /** The transaction is over and what it wrote is on disk. */
  committed(): void {
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
    for (const { waiter } of this.#served) if (!parked.has(waiter)) this.#add(waiter)
    this.#parked = []
    this.#served = []
    this.#arrivals = []
    this.#claimable.clear()
    if (this.#size === 0) return
    // Which arrivals came true is not known any more. A disk in trouble is not asked again at once.
    this.#tryAll()
    this.#cancelRetry ??= this.#clock.after(RETRY_AFTER, () => {
      this.#cancelRetry = undefined
      this.#wake()
    })
  }

  /** Refuses the waits of a key that counts no more. */
  refuse(keyId: string): void {
    for (const waiter of [...(this.#byKey.get(keyId) ?? [])]) {
      this.#remove(waiter)
      waiter.refuse(new ProtocolError('unauthorized', 'Invalid API key.'))
    }
  }

  /** Ends all waits: who waited gets nothing and asks again. */
  end(): void {
    for (const waiter of [...this.#byKey.values()].flatMap((waiters) => [...waiters])) {
      this.#remove(waiter)
      waiter.settle(null)
    }
    this.#dues.close()
    this.#cancelRetry?.()
    this.#cancelRetry = undefined
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
        if (!this.#buckets.has(pattern.bucket)) continue
        if (runAt > now) this.#dues.note(pattern, runAt)
        else this.#noteClaimable(key, pattern, false)
      }
    }
    this.#arrivals = []
    for (const pattern of this.#dues.take(now)) this.#noteClaimable(DUE, pattern, true)
  }

  #noteClaimable(key: string, pattern: Pattern, hasLater: boolean): void {
    const known = this.#claimable.get(key)
    if (known === undefined) this.#claimable.set(key, { patterns: new Map([[patternKey(pattern), pattern]]), hasLater })
    else known.patterns.set(patternKey(pattern), pattern)
  }

  /** Who has waited longest for one of these patterns. */
  #firstFor(patterns: Claimable['patterns']): { waiter: Waiter; key: string } | undefined {
    let first: { waiter: Waiter; key: string } | undefined
    for (const [key, pattern] of patterns) {
      const waiter = this.#firstIn(pattern)
      if (waiter !== undefined && (first === undefined || waiter.place < first.waiter.place)) first = { waiter, key }
    }
    return first
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
      else {
        const isLast = waiter.place === this.#places
        bucket.set(waiter.place, waiter)
        // Only one that comes back after a rollback is not the last.
        if (!isLast) this.#buckets.set(name, new Map([...bucket].sort(([a], [b]) => a - b)))
      }
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
