import { ProtocolError } from '../../shared/errors.ts'
import { MAX_WAITS } from '../../shared/limits.ts'
import type { ClaimRequest } from '../../shared/requests.ts'
import type { Caller } from './caller.ts'
import type { Clock } from './clock.ts'
import { NOT_YET } from './intents/claim.ts'
import type { Claimed } from './intents/claimed.ts'
import type { IntentStatus } from './intents/intent.ts'
import { isKeyId, MAIN_KEY_ID, type Key } from './keys.ts'
import { Waiter } from './parking/waiter.ts'
import type { Parts } from './parts.ts'
import type { Wait } from './settled-waits.ts'
import type { Operation } from './store/commits.ts'

/** Stands for a publisher that does not exist: no key has this id, so nothing of it can be claimed. */
const NOBODY = 'nobody'

const UNSETTLED: ReadonlySet<IntentStatus['status']> = new Set(['open', 'claimed'])

/** Requests whose answer may take its time: claims without an intent, and results that are not there yet. */
export class HeldRequests {
  readonly #parts: Parts
  readonly #clock: Clock
  readonly #change: <T>(caller: Caller, operation: Operation<T>) => Promise<T>
  #isEnding = false
  /** Another one says that who asked before must not be held any more. */
  #epoch = 0

  /** `change` carries out what a caller asks for, once it is on disk. */
  constructor(parts: Parts, clock: Clock, change: <T>(caller: Caller, operation: Operation<T>) => Promise<T>) {
    this.#parts = parts
    this.#clock = clock
    this.#change = change
  }

  /** See Bus.claim. */
  async claim(caller: Caller, request: ClaimRequest, wait?: Wait): Promise<Claimed | null> {
    const { claiming, counter, parking, workers } = this.#parts
    const epoch = this.#epoch
    try {
      for (;;) {
        const outcome = await this.#change(caller, (now) => {
          const publisherId = this.#publisherId(caller.key, request.publisher)
          const worker = workers.see(caller, request, publisherId, now)
          const claimed = counter.isClosed ? null : claiming.claim(caller, request, publisherId, worker, now)
          const mayWait = epoch === this.#epoch && this.#hasRoom(caller.key.id)
          if (claimed !== null || wait === undefined || wait.seconds === 0 || !mayWait) return claimed
          return parking.park(caller, request, publisherId, counter, now)
        })
        if (outcome === NOT_YET) continue
        if (!(outcome instanceof Waiter)) return outcome
        wait!.onHeld()
        parking.watch(outcome, wait!)
        return await outcome.answer
      }
    } catch (error) {
      // To a worker a busy database is the same as nothing to do: it comes back.
      if (error instanceof ProtocolError && error.code === 'database_busy') return null
      throw error
    }
  }

  /** See Bus.settled; `look` tells the status as it is, and its refusals are this one's. */
  async settled(keyId: string, id: string, wait: Wait, look: () => Promise<IntentStatus>): Promise<IntentStatus> {
    const epoch = this.#epoch
    const until = this.#clock.now() + wait.seconds
    let status = await look()
    while (UNSETTLED.has(status.status) && epoch === this.#epoch && !wait.signal.aborted && this.#hasRoom(keyId)) {
      const left = until - this.#clock.now()
      if (left <= 0) break
      wait.onHeld()
      await this.#parts.settledWaits.wait(id, keyId, { ...wait, seconds: left })
      status = await look()
    }
    return status
  }

  /** Answers all that are held; `forGood`: none is held from now on. */
  end(forGood: boolean): void {
    this.#isEnding ||= forGood
    this.letNobodyStay()
    this.#parts.parking.end()
    this.#parts.settledWaits.end()
  }

  /** Whoever asked before this is not held once more: what was allowed then may not be so now. */
  letNobodyStay(): void {
    this.#epoch++
  }

  /** The id of the publisher asked for, null for anybody's. Throws 403 unless it is the caller's or the caller is main. */
  #publisherId(key: Key, publisher: string | null): string | null {
    if (publisher === null) return null
    const id = this.#parts.keys.resolveId(publisher)
    if (!key.isMain && id !== key.id) {
      throw new ProtocolError('forbidden', 'Only the main key may claim the intents of another publisher.')
    }
    if (id !== undefined) return id
    // A key that was revoked is unknown, but what it published is still there under its id.
    return isKeyId(publisher) ? publisher : NOBODY
  }

  /** Whether a request of this key may be held now. */
  #hasRoom(keyId: string): boolean {
    const { parking, settledWaits } = this.#parts
    if (this.#isEnding) return false
    return keyId === MAIN_KEY_ID || parking.waitsOf(keyId) + settledWaits.waitsOf(keyId) < MAX_WAITS
  }
}
