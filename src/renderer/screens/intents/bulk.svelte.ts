import type { Input } from '../../../shared/control/contract.ts'
import type { StatusName } from '../../../shared/control/intent-views.ts'
import type { Batch } from '../../lib/state/feed.svelte.ts'
import type { Interface } from '../../lib/state/interface.ts'
import { ELIGIBLE, isHarmless, NOTHING, questionOf, reportOf, VERBS, type BulkAction, type Touched } from './bulk-words.ts'

/** What an action is meant for: intents with their statuses, or all that a filter matches. */
export type BulkAim = { readonly some: ReadonlyMap<string, StatusName> } | { readonly filter: string }

interface Plan extends Touched {
  readonly target: Input<'intents.bulk'>['target']
}

/** Cancels and retries intents, after having said how many; tells how far it is. */
export class Bulk {
  /** null while nothing is under way. */
  running = $state.raw<{ readonly text: string; readonly done: number; readonly total: number } | null>(null)
  readonly #shared: Interface
  #token = ''

  constructor(shared: Interface) {
    this.#shared = shared
  }

  /** Resolves to whether it was done. */
  async run(action: BulkAction, aim: BulkAim): Promise<boolean> {
    if (this.running !== null) return false
    const { confirmation } = this.#shared
    let plan: Plan | undefined
    await this.#shared.attempt(async () => (plan = await this.#plan(action, aim)))
    if (plan === undefined) return false
    if (plan.total === 0) {
      this.#shared.toasts.say(NOTHING[action])
      return false
    }
    const mayGoOn = isHarmless(action, plan) || (await confirmation.ask(questionOf(action, plan)))
    return mayGoOn && this.#carryOut(action, plan)
  }

  /** Hears how far it is. */
  take({ bulk }: Batch): void {
    const news = bulk.get(this.#token)
    if (news !== undefined && this.running !== null) this.running = { ...this.running, ...news }
  }

  async #plan(action: BulkAction, aim: BulkAim): Promise<Plan> {
    const statuses = ELIGIBLE[action]
    if ('some' in aim) {
      const ids = [...aim.some].flatMap(([id, status]) => (statuses.includes(status) ? [id] : []))
      const counts = statuses.map((status) => ({ status, count: ids.filter((id) => aim.some.get(id) === status).length }))
      return { total: ids.length, counts, target: { ids } }
    }
    const filter = `${aim.filter} status:${statuses.join(',')}`.trim()
    const count = (filter: string) => this.#shared.call('intents.count', { filter })
    const [all, ...counts] = await Promise.all([
      count(filter),
      ...statuses.map(async (status) => ({ status, count: (await count(`${filter} status:${status}`)).count }))
    ])
    return { total: all.count, counts, target: { filter, asOf: all.asOf } }
  }

  async #carryOut(action: BulkAction, { total, target }: Plan): Promise<boolean> {
    this.#token = crypto.getRandomValues(new Uint32Array(2)).join('-')
    this.running = { text: VERBS[action].progressive, done: 0, total }
    const isDone = await this.#shared.attempt(async () => {
      const result = await this.#shared.call('intents.bulk', { action, target, token: this.#token })
      this.#shared.toasts.say(reportOf(action, result))
    })
    this.running = null
    return isDone
  }
}
