import { appendHistory } from '../../../shared/history.ts'
import { intentNotFound, STATUS } from './intent.ts'
import type { QueueRow, Requeueing } from './requeue.ts'

/** What operators do with single intents, from whatever state (SPEC 8.5). Inside transactions. */
export class Managing {
  readonly #requeueing: Requeueing

  constructor(requeueing: Requeueing) {
    this.#requeueing = requeueing
  }

  /** Forces the intent to dead and into the dead letters. Throws 404. */
  cancel(id: string, now: number): void {
    const row = this.#find(id)
    if (row.status === STATUS.expired) throw intentNotFound()
    const history = appendHistory(row.history, { at: now, event: 'cancelled' })
    this.#requeueing.bury(row, history, 'Cancelled by an operator.', now)
  }

  /** Opens the intent again with all its attempts and a fresh lifetime; an expired one comes back, too. Throws 404. */
  retry(id: string, now: number): void {
    const row = this.#find(id)
    this.#requeueing.renew(row, appendHistory(row.history, { at: now, event: 'retried' }), now)
  }

  #find(id: string): QueueRow {
    const row = this.#requeueing.find(id)
    if (row === undefined) throw intentNotFound()
    return row
  }
}
