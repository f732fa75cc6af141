import { withTerm } from '../../../shared/control/filter/edit.ts'
import { escapeGlob } from '../../../shared/control/filter/glob.ts'
import type { Attention, StatisticsPoint } from '../../../shared/control/overview-views.ts'
import type { UnservedGoal } from '../../../shared/control/worker-views.ts'
import { MAX_DEAD, type GoalFailures } from './failures.ts'
import { sightCapability, sightTarget } from './sightings.ts'
import type { WaitingLane } from './waiting.ts'
import { code, duration, plural } from './words.ts'
import { keyName, type Workforce } from './workforce.ts'

/** What there is to know before one can say what wants attention. */
export interface Symptoms {
  /** Unix seconds. */
  readonly now: number
  readonly isPaused: boolean
  readonly isMaintenance: boolean
  /** What is wrong with the storage, in sentences; null while it is fine. */
  readonly storageProblem: string | null
  /** Intents that expired and are kept. */
  readonly expired: number
  readonly unserved: readonly UnservedGoal[]
  readonly stuck: readonly { readonly lane: WaitingLane; readonly open: number }[]
  /** Of the last hour. */
  readonly failures: readonly GoalFailures[]
  readonly lastHour: StatisticsPoint
  readonly workforce: Workforce
  readonly keyOwners: ReadonlyMap<string, string>
}

const MAX_TOLD = 10
/** Goals that one kind may fill the list with. */
const MAX_OF_KIND = 4
/** Below so many dead letters of a goal nothing is said about its share. */
const MIN_DEAD = 3
/** Lost leases are worth a word from this number and this share of all claims on. */
const LOST = { least: 3, share: 0.05 }

/** What wants attention, most urgent first. */
export function attentionTo(symptoms: Symptoms): Attention[] {
  const { failures, unserved } = symptoms
  const [failing, dying] = partition(failures, isMostlyFailing)
  return [
    ...halted(symptoms),
    ...unserved.slice(0, MAX_OF_KIND).map((goal) => unservedGoal(goal, symptoms)),
    ...failing.slice(0, MAX_OF_KIND).map(failingGoal),
    ...stuckIntents(symptoms).slice(0, MAX_OF_KIND),
    ...dying.slice(0, MAX_OF_KIND).map(deadOfGoal),
    ...expiredIntents(symptoms),
    ...lostLeases(symptoms)
  ].slice(0, MAX_TOLD)
}

function halted({ isPaused, isMaintenance, storageProblem }: Symptoms): Attention[] {
  const told: Attention[] = []
  if (storageProblem !== null) told.push({ kind: 'storage', text: storageProblem, filter: null })
  if (isMaintenance) {
    const text = 'The bus is in maintenance: it refuses all requests of publishers and workers.'
    told.push({ kind: 'maintenance', text, filter: null })
  }
  if (isPaused) told.push({ kind: 'paused', text: 'The bus is paused: workers get nothing until it is resumed.', filter: null })
  return told
}

function unservedGoal({ namespace, goal, open, lastClaimedAt }: UnservedGoal, { now, workforce }: Symptoms): Attention {
  const filter = goalFilter('open', namespace, goal)
  // Who asks and gets nothing has the wrong key: lanes of public intents would be asked for.
  if (workforce.asking({ namespace, goal }).length > 0) {
    const text = `${count(open)} open for ${code(goal)}, private to their publisher: the workers that ask for that goal have other keys.`
    return { kind: 'unserved', text, filter }
  }
  const idle = lastClaimedAt === null ? 'ever claimed that goal' : `claimed that goal for ${duration(now - lastClaimedAt)}`
  return { kind: 'unserved', text: `${count(open)} open for ${code(goal)}, no worker has ${idle}.`, filter }
}

/** Lanes that the same filter leads to are one thing to look at. */
function stuckIntents(symptoms: Symptoms): Attention[] {
  const kept = symptoms.stuck.map(({ lane, open }) => ({ goal: lane.goal, open, ...obstacleOf(lane, symptoms) }))
  return [...Map.groupBy(kept, ({ filter }) => filter).values()].map((alike) => {
    const [{ goal, filter, obstacle }] = alike as [(typeof alike)[number]]
    const open = alike.reduce((sum, one) => sum + one.open, 0)
    return { kind: 'stuck', text: `${count(open)} open for ${code(goal)}, ${obstacle}.`, filter }
  })
}

/** What keeps the workers that are there from claiming, with a filter for the intents that it keeps. */
function obstacleOf(lane: WaitingLane, { now, workforce, keyOwners }: Symptoms): { obstacle: string; filter: string } {
  const { namespace, goal, privateTo, target, capability } = lane
  const base = goalFilter('open', namespace, goal)
  if (privateTo !== null && !workforce.isAskedFor(lane)) {
    const obstacle = `private to ${keyName(privateTo, keyOwners.get(privateTo))}, with which no worker asks for that goal`
    return { obstacle, filter: withTerm(withTerm(base, 'key', privateTo), 'visibility', 'private') }
  }
  if (target !== null && workforce.ableTo({ ...lane, capability: null }).length === 0) {
    const sighting = sightTarget(workforce, target, now)
    const state = sighting.isThere ? `${code(target)} does not ask for that goal` : sighting.text
    return { obstacle: `meant for worker ${code(target)}: ${state}`, filter: withTerm(base, 'target', target) }
  }
  // A lane without target and capability is stuck for its key alone, so only a capability is left.
  const sighting = sightCapability(workforce, capability!, now)
  const state = sighting.isThere ? 'no worker that may claim them offers it' : sighting.text
  return { obstacle: `in need of capability ${code(capability!)}: ${state}`, filter: withTerm(base, 'capability', capability!) }
}

function isMostlyFailing({ latest }: GoalFailures): boolean {
  return latest.dead >= MIN_DEAD && latest.dead > latest.fulfilled
}

function failingGoal({ namespace, goal, lastReason, latest: { dead, fulfilled } }: GoalFailures): Attention {
  const text = `${dead} of the last ${count(dead + fulfilled)} intents of ${code(goal)} died; the latest: ${quoted(lastReason)}`
  return { kind: 'failing', text, filter: goalFilter('dead', namespace, goal) }
}

function deadOfGoal({ namespace, goal, dead, lastReason }: GoalFailures): Attention {
  const number = dead === MAX_DEAD ? `${count(dead)} or more intents` : plural(dead, 'intent')
  const text = `${number} of ${code(goal)} died in the last hour; the latest: ${quoted(lastReason)}`
  return { kind: 'dead', text, filter: goalFilter('dead', namespace, goal) }
}

function expiredIntents({ expired }: Symptoms): Attention[] {
  if (expired === 0) return []
  const text = `${plural(expired, 'intent')} expired: no worker fulfilled ${expired === 1 ? 'it in its' : 'them in their'} lifetime.`
  return [{ kind: 'expired', text, filter: 'status:expired' }]
}

function lostLeases({ lastHour: { lost, claimed } }: Symptoms): Attention[] {
  if (lost < LOST.least || lost < claimed * LOST.share) return []
  const cause = 'it stopped, or takes longer than its lease and does not extend it'
  const text = `${plural(lost, 'lease')} ended in the last hour without a word of the worker: ${cause}.`
  return [{ kind: 'lost_leases', text, filter: null }]
}

function goalFilter(status: string, namespace: string, goal: string): string {
  return withTerm(withTerm(`status:${status}`, 'ns', namespace), 'goal', escapeGlob(goal))
}

/** A reason may be anything: only the beginning of its first line belongs into a sentence. */
function quoted(reason: string): string {
  const [line = ''] = reason.trim().split('\n')
  return line.length > 120 ? `${line.slice(0, 119)}…` : line
}

function count(number: number): string {
  return number.toLocaleString('en-US')
}

function partition<T>(all: readonly T[], isFirst: (one: T) => boolean): [T[], T[]] {
  return [all.filter(isFirst), all.filter((one) => !isFirst(one))]
}
