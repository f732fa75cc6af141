import { NOT_YET, type Claiming } from './intents/claim.ts'
import type { Claimed } from './intents/claimed.ts'
import type { Counter } from './parking/parking.ts'
import type { Pattern } from './parking/patterns.ts'
import type { Waiter } from './parking/waiter.ts'
import type { Workers } from './workers.ts'

/** Where parked claims get what they wait for. While the bus is paused it is closed. */
export class ClaimCounter implements Counter {
  readonly #claiming: Claiming
  readonly #workers: Workers
  isClosed = false

  constructor(claiming: Claiming, workers: Workers) {
    this.#claiming = claiming
    this.#workers = workers
  }

  serve({ caller, request, publisherId }: Waiter, now: number): Claimed | null | 'later' {
    if (this.isClosed) return null
    const worker = this.#workers.see(caller, request, publisherId, now)
    const claimed = this.#claiming.claim(caller, request, publisherId, worker, now)
    return claimed === NOT_YET ? 'later' : claimed
  }

  tellDues({ caller, request, publisherId }: Waiter, now: number, tell: (pattern: Pattern, at: number) => void): void {
    this.#claiming.tellDues(caller.key.id, request, publisherId, now, tell)
  }
}
