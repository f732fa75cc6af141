import type { IntentChange } from '../../shared/control/intent-views.ts'
import type { Clock } from './clock.ts'
import type { Events } from './events.ts'
import type { Random } from './random.ts'

/** Changes that are kept for those who come back, the newest. */
const MAX_KEPT = 10_000
/** Seconds that they are kept up after the last follower has gone. */
const LINGER = 300

export interface Follower {
  /** Whose intents it hears of: those that this key published, and what it did to others'. */
  readonly keyId: string
  /** From here on it hears everything. */
  onBegin(id: string): void
  /** `id` is where to go on after it. */
  onChange(id: string, change: IntentChange): void
  /** Some of what it missed is not known any more. */
  onGap(id: string): void
  /** No more will come. */
  onEnd(): void
}

/** What happens to intents, for the keys that they concern. Who was away for a while can go on where it was. */
export class ClientEvents {
  readonly #events: Events
  readonly #clock: Clock
  readonly #random: Random
  readonly #followers = new Set<Follower>()
  /** A ring: the change with number `seq` is at `seq % MAX_KEPT`. */
  #kept: IntentChange[] = []
  #lastSeq = 0
  /** Tells the numbers of one time of listening from those of another. */
  #epoch = ''
  #stop: (() => void) | undefined
  #cancelRest: (() => void) | undefined

  constructor(events: Events, clock: Clock, random: Random) {
    this.#events = events
    this.#clock = clock
    this.#random = random
  }

  /** How many follow with a key. */
  countOf(keyId: string): number {
    return [...this.#followers].filter((follower) => follower.keyId === keyId).length
  }

  /** Tells a follower what happens from now on, and with `lastId` what happened after that; the answer ends it. */
  follow(follower: Follower, lastId: string | undefined): () => void {
    this.#cancelRest?.()
    this.#cancelRest = undefined
    if (this.#stop === undefined) this.#listen()
    if (lastId === undefined) follower.onBegin(this.#id(this.#lastSeq))
    else this.#catchUp(follower, lastId)
    this.#followers.add(follower)
    return () => this.#leave(follower)
  }

  /** Ends all who follow, or those with one key; whoever still may comes back. */
  end(keyId?: string): void {
    for (const follower of [...this.#followers]) {
      if (keyId !== undefined && follower.keyId !== keyId) continue
      this.#leave(follower)
      follower.onEnd()
    }
  }

  close(): void {
    this.end()
    this.#cancelRest?.()
    this.#rest()
  }

  #listen(): void {
    this.#epoch = this.#random.hex(6)
    this.#stop = this.#events.onChanges((changes) => {
      for (const change of changes) this.#note(change)
    })
  }

  #note(change: IntentChange): void {
    const seq = ++this.#lastSeq
    this.#kept[seq % MAX_KEPT] = change
    for (const follower of this.#followers) if (concerns(change, follower.keyId)) follower.onChange(this.#id(seq), change)
  }

  #catchUp(follower: Follower, lastId: string): void {
    const [epoch, digits = ''] = lastId.split('-')
    const seq = /^\d{1,15}$/.test(digits) ? Number(digits) : NaN
    const isKnown = epoch === this.#epoch && seq <= this.#lastSeq && seq >= this.#lastSeq - this.#kept.length
    if (!isKnown) return follower.onGap(this.#id(this.#lastSeq))
    for (let next = Math.max(seq, this.#lastSeq - MAX_KEPT) + 1; next <= this.#lastSeq; next++) {
      const change = this.#kept[next % MAX_KEPT]!
      if (concerns(change, follower.keyId)) follower.onChange(this.#id(next), change)
    }
  }

  #leave(follower: Follower): void {
    if (!this.#followers.delete(follower) || this.#followers.size > 0) return
    this.#cancelRest ??= this.#clock.after(LINGER, () => this.#rest())
  }

  #rest(): void {
    this.#cancelRest = undefined
    this.#stop?.()
    this.#stop = undefined
    this.#kept = []
    this.#lastSeq = 0
  }

  #id(seq: number): string {
    return `${this.#epoch}-${seq}`
  }
}

function concerns({ publisher, key }: IntentChange, keyId: string): boolean {
  return publisher === keyId || key === keyId
}
