import type { AuditView } from '../../../shared/control/network-views.ts'
import type { ControlError } from '../../../shared/control/transport.ts'
import { asControlError } from '../../lib/state/failure.ts'
import type { Interface } from '../../lib/state/interface.ts'

const PAGE = 100

/** The audit trail, newest first, page by page as somebody reads on. */
export class Trail {
  /** undefined until the first page is there. */
  entries = $state.raw<readonly AuditView[]>()
  /** Whether there are older ones. */
  hasMore = $state(false)
  isBusy = $state(false)
  failure = $state.raw<ControlError | null>(null)
  readonly #shared: Interface
  #next: number | null = null
  #turn = 0

  constructor(shared: Interface) {
    this.#shared = shared
  }

  /** Asks for the newest ones; what was read before stays below them where the two meet. Never rejects. */
  async refresh(): Promise<void> {
    await this.#ask({ limit: PAGE }, ({ entries, next }) => {
      const oldest = entries.at(-1)?.n ?? 0
      const known = this.entries ?? []
      const meets = known.some(({ n }) => n >= oldest)
      this.entries = meets ? [...entries, ...known.filter(({ n }) => n < oldest)] : entries
      if (!meets || known.length <= PAGE) this.#setNext(next)
    })
  }

  /** Reads on. Never rejects. */
  async more(): Promise<void> {
    if (this.#next === null || this.isBusy) return
    await this.#ask({ before: this.#next, limit: PAGE }, ({ entries, next }) => {
      this.entries = [...(this.entries ?? []), ...entries]
      this.#setNext(next)
    })
  }

  async #ask(
    input: { before?: number; limit: number },
    take: (page: { readonly entries: readonly AuditView[]; readonly next: number | null }) => void
  ): Promise<void> {
    const turn = ++this.#turn
    this.isBusy = true
    try {
      const page = await this.#shared.call('audit.list', input)
      if (turn !== this.#turn) return
      take(page)
      this.failure = null
    } catch (error) {
      if (turn === this.#turn) this.failure = asControlError(error)
    }
    if (turn === this.#turn) this.isBusy = false
  }

  #setNext(next: number | null): void {
    this.#next = next
    this.hasMore = next !== null
  }
}
