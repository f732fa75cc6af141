import type { Envelope } from '../../shared/control/transport.ts'
import type { Count, IntentPage, IntentRow } from '../../shared/control/intent-views.ts'
import type { BusClient } from './bus-client.ts'

/** What is asked before the bus is stopped under its workers. */
export interface QuitQuestion {
  readonly message: string
  readonly detail: string
}

type Lease = Pick<IntentRow, 'goal' | 'worker' | 'claimedBy'>

const MAX_NAMED = 5
const MAX_COUNTED = 10_000
/** A bus that does not answer in this time is not asked: quitting must always work. */
const PATIENCE_MS = 2_000

/** The question to ask now; undefined when nobody works on anything. */
export async function findQuitQuestion(bus: Pick<BusClient, 'call' | 'isRunning'>): Promise<QuitQuestion | undefined> {
  if (!bus.isRunning) return undefined
  const filter = 'status:claimed'
  const answers = Promise.all([
    bus.call('intents.list', { filter, limit: MAX_NAMED }),
    bus.call('intents.count', { filter, limit: MAX_COUNTED })
  ])
  const { promise: patience, resolve } = Promise.withResolvers<undefined>()
  const timer = setTimeout(() => resolve(undefined), PATIENCE_MS)
  const [page, count] = (await Promise.race([answers, patience])) ?? []
  clearTimeout(timer)
  const leases = valueOf<IntentPage>(page)?.rows ?? []
  return leases.length === 0 ? undefined : quitQuestion(leases, valueOf<Count>(count)?.count ?? leases.length)
}

/** Names some of `count` running leases and says what becomes of them. */
export function quitQuestion(leases: readonly Lease[], count: number): QuitQuestion {
  const named = leases.slice(0, MAX_NAMED).map(({ goal, worker, claimedBy }) => `${goal} (${worker ?? claimedBy ?? 'unknown worker'})`)
  const more = count - named.length
  return {
    message: count === 1 ? '1 intent is being worked on.' : `${count} intents are being worked on.`,
    detail:
      `${named.join('\n')}${more > 0 ? `\nand ${more} more` : ''}\n\n` +
      'Workers cannot settle them while the bus is stopped. Their leases run out, and they are taken up again after the next start.'
  }
}

function valueOf<T>(envelope: Envelope | undefined): T | undefined {
  return envelope?.ok === true ? (envelope.value as T) : undefined
}
