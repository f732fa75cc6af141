import type { CheckedInput, Output } from '../../../shared/control/contract.ts'
import { ProtocolError } from '../../../shared/errors.ts'
import type { ControlDependencies } from '../dependencies.ts'
import type { Handlers } from '../control.ts'
import { publish } from '../publication.ts'

/** Intents that one step of a bulk action takes. */
const BULK_STEP = 500

/** Intents: looking at them, publishing, and what operators do with them. */
export function intentHandlers(deps: ControlDependencies) {
  const { bus, clock, feed, listener, settings } = deps

  async function bulk({ action, target, token }: CheckedInput<'intents.bulk'>): Promise<Output<'intents.bulk'>> {
    const change = (ids: readonly string[]) => (action === 'cancel' ? bus.cancelMany(ids) : bus.retryMany(ids))
    const total = token === undefined ? 0 : await matching(target)
    let matched = 0
    let changed = 0
    for await (const ids of steps(target)) {
      matched += ids.length
      changed += await change(ids)
      if (token !== undefined) feed.noteBulk({ token, done: matched, total: Math.max(total, matched) })
    }
    return { matched, changed }
  }

  /** Only who watches the progress needs to know how many there will be. */
  async function matching(target: CheckedInput<'intents.bulk'>['target']): Promise<number> {
    if ('ids' in target) return target.ids.length
    const { filter, asOf } = target
    return (await bus.reader.ask('count', { filter, asOf }, clock.now())).count
  }

  async function* steps(target: CheckedInput<'intents.bulk'>['target']): AsyncGenerator<readonly string[]> {
    if ('ids' in target) {
      for (let i = 0; i < target.ids.length; i += BULK_STEP) yield target.ids.slice(i, i + BULK_STEP)
      return
    }
    let cursor: string | undefined
    do {
      const page = await bus.reader.ask('collectIds', { ...target, cursor, limit: BULK_STEP }, clock.now())
      if (page.ids.length > 0) yield page.ids
      cursor = page.next ?? undefined
    } while (cursor !== undefined)
  }

  async function detail(id: string): Promise<Output<'intents.detail'>> {
    const view = await bus.reader.ask('detail', id)
    if (view === undefined) throw new ProtocolError('not_found', 'There is no intent with this id: it was deleted, or never here.')
    return view
  }

  return {
    'intents.list': (input, _operator, gone) => bus.reader.ask('list', input, clock.now(), gone),
    'intents.anchors': (input, _operator, gone) => bus.reader.ask('anchors', input, clock.now(), gone),
    'intents.count': (input, _operator, gone) => bus.reader.ask('count', input, clock.now(), gone),
    'intents.detail': ({ id }) => detail(id),
    'intents.explain': async ({ id }) => {
      await bus.notesWritten()
      const { state } = listener
      const explanation = await bus.reader.ask('explain', id, {
        now: clock.now(),
        isPaused: bus.isPaused,
        isMaintenance: settings.values.maintenance,
        listenerProblem: state.state === 'failed' ? state.problem : null
      })
      if (explanation === undefined) throw new ProtocolError('not_found', 'There is no intent with this id: it was deleted, or never here.')
      return explanation
    },
    'intents.publish': (input) => publish(bus, input),
    'intents.cancel': async ({ id }) => {
      await bus.cancel(id)
      return null
    },
    'intents.retry': async ({ id }) => {
      await bus.retry(id)
      return null
    },
    'intents.duplicate': async ({ id }) => {
      const { goal, payload, namespace, visibility, priority, maxAttempts, backoffBase, target, capability, publisher } = await detail(id)
      const isKnown = bus.keys.byId(publisher) !== undefined
      return publish(bus, {
        goal,
        payload,
        namespace,
        visibility,
        priority,
        delay: 0,
        maxAttempts,
        backoffBase,
        target,
        capability,
        publisher: isKnown ? publisher : 'main'
      })
    },
    'intents.bulk': bulk,
    'dead.groups': (_input, _operator, gone) => bus.reader.ask('deadGroups', gone)
  } satisfies Partial<Handlers>
}
