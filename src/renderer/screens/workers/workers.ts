import { escapeGlob, withTerm } from '../../../shared/control/filter.ts'
import type { UnservedGoal, WorkerAsk, WorkerView } from '../../../shared/control/worker-views.ts'
import { DEFAULT_NAMESPACE } from '../../../shared/limits.ts'

export type Presence = WorkerView['presence']

export const PRESENCES = ['online', 'late', 'gone'] as const satisfies readonly Presence[]

export const PRESENCE_WORDS: Readonly<Record<Presence, string>> = { online: 'Online', late: 'Late', gone: 'Gone' }

const byName = new Intl.Collator('en', { numeric: true })

/** What a worker is called: one that says no name, by where it comes from. */
export function workerName({ worker, address }: Pick<WorkerView, 'worker' | 'address'>): string {
  return worker ?? `Without id, from ${address}`
}

/** By name, those that are gone last: rows stay where they are when a worker is merely late. */
export function sortWorkers(workers: readonly WorkerView[]): WorkerView[] {
  return workers.toSorted((a, b) => {
    const isGone = Number(a.presence === 'gone') - Number(b.presence === 'gone')
    return isGone || byName.compare(workerName(a), workerName(b)) || byName.compare(a.ref, b.ref)
  })
}

/** Whether each word is somewhere in what is known of the worker; case does not count. */
export function isFound(worker: WorkerView, words: string): boolean {
  const asks = worker.asks.flatMap(({ goal, namespace }) => [goal ?? '', namespace])
  const known = [workerName(worker), worker.address, worker.key, worker.keyOwner, PRESENCE_WORDS[worker.presence], ...worker.capabilities, ...asks]
  const text = known.join('\n').toLowerCase()
  return words.toLowerCase().split(/\s+/).every((word) => text.includes(word))
}

/** `resize`, `any goal in prod, of key_…`: what a claim asks for. */
export function askText({ goal, namespace, publisher }: Omit<WorkerAsk, 'lastAt'>): string {
  const where = namespace === DEFAULT_NAMESPACE ? '' : ` in ${namespace}`
  return `${goal ?? 'any goal'}${where}${publisher === null ? '' : `, of ${publisher}`}`
}

/** A filter for the intents that this worker claimed last; null for one without id, which no filter can tell. */
export function intentsOf({ worker }: WorkerView): string | null {
  return worker === null ? null : withTerm('', 'worker', escapeGlob(worker))
}

/** A filter for the intents that wait for this goal. */
export function waitingFor({ goal, namespace }: UnservedGoal): string {
  return withTerm(withTerm('status:open', 'goal', escapeGlob(goal)), 'ns', escapeGlob(namespace))
}
