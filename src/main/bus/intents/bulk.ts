import type { Commits } from '../store/commits.ts'
import type { Managing } from './manage.ts'

/** To move an intent on is as much work as to delete so many, which is what steps are measured by. */
const WEIGHT = 4

/** What operators do with many intents at once: in small steps between the requests, which hardly notice. */
export class Bulk {
  readonly #commits: Commits
  readonly #managing: Managing

  constructor(commits: Commits, managing: Managing) {
    this.#commits = commits
    this.#managing = managing
  }

  /** Cancels those that are there and neither dead nor expired; resolves with how many it were. */
  cancel(ids: readonly string[]): Promise<number> {
    return this.#each(ids, (id, now) => this.#managing.cancelIfAlive(id, now))
  }

  /** Retries those that are there and neither open nor claimed; resolves with how many it were. */
  retry(ids: readonly string[]): Promise<number> {
    return this.#each(ids, (id, now) => this.#managing.retryIfFinished(id, now))
  }

  async #each(ids: readonly string[], change: (id: string, now: number) => boolean): Promise<number> {
    let changed = 0
    for (let from = 0; from < ids.length; ) {
      const step = await this.#commits.background((now, rows) => {
        const taken = ids.slice(from, from + rows / WEIGHT)
        return { taken: taken.length, changed: taken.filter((id) => change(id, now)).length }
      })
      from += step.taken
      changed += step.changed
    }
    return changed
  }
}
