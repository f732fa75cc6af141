import type { AuditView } from '../../../shared/control/network-views.ts'
import type { ControlError } from '../../../shared/control/transport.ts'
import { asControlError } from '../../lib/state/failure.ts'
import type { Interface } from '../../lib/state/interface.ts'

const PAGE = 100

/** The audit trail, newest first, page by page as somebody reads on. */
export class Trail {
  /** undefined until the first page is there. */
  entries = $state.raw<readonly AuditView[]>()
  /** Whether older ones are on their way. */
  isReadingOn = $state(false)
  failure = $state.raw<ControlError | null>(null)
  readonly #shared: Interface
  /** Where older ones begin; null at the end of the trail. */
  #next = $state.raw<number | null>(null)
  /** Whether there is more than the newest page. */
  #hasReadOn = false
  #turn = 0

  constructor(shared: Interface) {
    this.#shared = shared
  }

  /** Whether there are older ones. */
  get hasMore(): boolean {
    return this.#next !== null
  }

  /** Asks for the newest ones; who has read on keeps what is older, where the two meet. Never rejects. */
  async refresh(): Promise<void> {
    if (this.isReadingOn) return
    const turn = ++this.#turn
    try {
      const { entries, next } = await this.#shared.call('audit.list', { limit: PAGE })
      if (turn !== this.#turn) return
      const oldest = entries.at(-1)?.n ?? 0
      const known = this.entries ?? []
      this.#hasReadOn &&= known.some(({ n }) => n >= oldest)
      this.entries = this.#hasReadOn ? [...entries, ...known.filter(({ n }) => n < oldest)] : entries
      if (!this.#hasReadOn) this.#next = next
      this.failure = null
    } catch (error) {
      if (turn === this.#turn) this.failure = asControlError(error)
    }
  }

  /** Reads on; says it where that is refused. Never rejects. */
  async more(): Promise<void> {
    const before = this.#next
    if (before === null || this.isReadingOn) return
    this.isReadingOn = true
    // What a refresh under way brings may end elsewhere.
    this.#turn++
    await this.#shared.attempt(async () => {
      const { entries, next } = await this.#shared.call('audit.list', { before, limit: PAGE })
      this.entries = [...(this.entries ?? []), ...entries]
      this.#next = next
      this.#hasReadOn = true
    })
    this.isReadingOn = false
  }
}
