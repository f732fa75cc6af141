import type { Input } from '../../../shared/control/contract.ts'
import type { StatusName } from '../../../shared/control/views.ts'
import type { Batch } from '../../lib/state/feed.svelte.ts'
import type { Interface } from '../../lib/state/interface.ts'
import { counted } from '../../lib/text/numbers.ts'

export type BulkAction = Input<'intents.bulk'>['action']

/** What an action is meant for: intents with their statuses, or all that a filter matches. */
export type BulkAim = { readonly some: ReadonlyMap<string, StatusName> } | { readonly filter: string }

interface Plan {
  readonly total: number
  readonly counts: readonly { readonly status: StatusName; readonly count: number }[]
  readonly target: Input<'intents.bulk'>['target']
}

/** Statuses that each action is for. Who cancels many does not mean what is done already. */
const ELIGIBLE: Readonly<Record<BulkAction, readonly StatusName[]>> = {
  cancel: ['open', 'claimed'],
  retry: ['dead', 'expired', 'fulfilled']
}
const VERBS = {
  cancel: { do: 'Cancel', done: 'Cancelled', doing: 'Cancelling' },
  retry: { do: 'Retry', done: 'Retried', doing: 'Retrying' }
} as const

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
    // One intent that is tried again does no harm.
    const mayGoOn = (action === 'retry' && plan.total === 1) || (await confirmation.ask(questionOf(action, plan)))
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
    const { doing, done } = VERBS[action]
    this.#token = crypto.getRandomValues(new Uint32Array(2)).join('-')
    this.running = { text: doing, done: 0, total }
    const isDone = await this.#shared.attempt(async () => {
      const { matched, changed } = await this.#shared.call('intents.bulk', { action, target, token: this.#token })
      const rest = matched - changed
      const others = rest === 0 ? '' : `; ${counted(rest, 'other')} had changed in the meantime`
      this.#shared.toasts.say(`${done} ${counted(changed, 'intent')}${others}.`)
    })
    this.running = null
    return isDone
  }
}

const NOTHING: Readonly<Record<BulkAction, string>> = {
  cancel: 'Nothing to cancel: only open and claimed intents can be.',
  retry: 'Nothing to retry: these intents are open or claimed.'
}

function questionOf(action: BulkAction, { total, counts }: Plan) {
  const parts = counts.flatMap(({ status, count }) => (count === 0 ? [] : [`${counted(count, status, status)}`]))
  const what = parts.length > 1 ? `${counted(total, 'intent')}: ${parts.join(', ')}` : `${parts[0]} ${total === 1 ? 'intent' : 'intents'}`
  const consequence =
    action === 'cancel'
      ? 'They become dead letters; what is claimed is taken from its worker.'
      : 'They open again with all their attempts, and workers carry them out once more.'
  return {
    title: `${VERBS[action].do} ${counted(total, 'intent')}?`,
    text: `${VERBS[action].do}s ${what}. ${consequence}`.replace('Retrys', 'Retries'),
    action: `${VERBS[action].do} ${counted(total, 'intent')}`,
    isDangerous: action === 'cancel'
  }
}
