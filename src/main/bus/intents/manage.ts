import { appendHistory } from '../../../shared/history.ts'
import type { Store } from '../store/store.ts'
import { changeOf } from './change.ts'
import { intentNotFound, STATUS } from './intent.ts'
import type { QueueRow, Requeueing } from './requeue.ts'

const CANCELLED = 'Cancelled by an operator.'

/** What operators do with single intents, from whatever state (SPEC 8.5). Inside transactions. */
export class Managing {
  readonly #store: Store
  readonly #requeueing: Requeueing

  constructor(store: Store, requeueing: Requeueing) {
    this.#store = store
    this.#requeueing = requeueing
  }

  /** Forces the intent to dead and into the dead letters. Throws 404. */
  cancel(id: string, now: number): void {
    const row = this.#requeueing.find(id)
    if (row === undefined || row.status === STATUS.expired) throw intentNotFound()
    this.#cancel(row, now)
  }

  /** Opens the intent again with all its attempts and a fresh lifetime; an expired one comes back, too. Throws 404. */
  retry(id: string, now: number): void {
    const row = this.#requeueing.find(id)
    if (row === undefined) throw intentNotFound()
    this.#retry(row, now)
  }

  /** Cancels the intent if it is there and neither dead nor expired; whether it was. */
  cancelIfAlive(id: string, now: number): boolean {
    const row = this.#requeueing.find(id)
    if (row === undefined || row.status === STATUS.dead || row.status === STATUS.expired) return false
    this.#cancel(row, now)
    return true
  }

  /** Retries the intent if it is there and neither open nor claimed; whether it was. */
  retryIfFinished(id: string, now: number): boolean {
    const row = this.#requeueing.find(id)
    if (row === undefined || row.status === STATUS.open || row.status === STATUS.claimed) return false
    this.#retry(row, now)
    return true
  }

  #cancel(row: QueueRow, now: number): void {
    const { events } = this.#store
    this.#requeueing.bury(row, appendHistory(row.history, { at: now, event: 'cancelled' }), CANCELLED, now)
    if (events.isHeard) events.note(changeOf(row, 'cancelled', now, { status: 'dead', leaseEndsAt: null, error: CANCELLED }))
  }

  #retry(row: QueueRow, now: number): void {
    const { events } = this.#store
    this.#requeueing.renew(row, appendHistory(row.history, { at: now, event: 'retried' }), now)
    if (events.isHeard) {
      const renewed = { status: 'open', attempts: 0, runAt: now, leaseEndsAt: null, error: null } as const
      events.note({ ...changeOf(row, 'retried', now, renewed), worker: null })
    }
  }
}
