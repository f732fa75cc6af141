import type { Check, Explanation } from '../../../shared/control/intent-views.ts'
import { STATUS, type IntentRow } from '../intents/intent.ts'
import type { Connection } from '../store/database.ts'
import { holds, type Case, type ExplainContext } from './explain-case.ts'
import { readKeyOwners } from './keys.ts'
import { aheadAmongAlike, aheadFor, MAX_AHEAD } from './queue-position.ts'
import { busRule, lifetimeRule, runAtRule, statusRule } from './rules-of-state.ts'
import * as rules from './rules-of-workers.ts'
import { enumerate, plural } from './words.ts'
import { readWorkforce, workerName } from './workforce.ts'

/** Workers for whom the intents ahead are counted. */
const MAX_JUDGED = 5

const ROUTING_RULES = [
  rules.namespaceRule,
  rules.goalRule,
  rules.visibilityRule,
  rules.targetRule,
  rules.capabilityRule
] as const

/** Why an intent is not being worked on: each rule of SPEC 7.3 held against it, the workers and the keys seen lately. */
export function explain(db: Connection, id: string, row: IntentRow, context: ExplainContext): Explanation {
  const judged = caseOf(db, row, context)
  const states = [busRule(judged), statusRule(judged)]
  if (row.status !== STATUS.open) return { id, verdict: verdictOf(judged, states, 0), checks: states, ahead: 0 }
  const times = [runAtRule(judged), lifetimeRule(judged)]
  const routing = ROUTING_RULES.map((rule) => rule(judged))
  const ahead = aheadOf(db, judged)
  const checks = [...states, ...times, ...routing, rules.workersRule(judged, routing), orderRule(ahead)]
  return { id, verdict: verdictOf(judged, checks, ahead), checks, ahead }
}

function caseOf(db: Connection, row: IntentRow, context: ExplainContext): Case {
  const { now } = context
  return {
    row,
    wanted: {
      namespace: row.namespace,
      goal: row.goal,
      privateTo: row.visibility === 'private' ? row.publisher : null,
      publisher: row.publisher,
      target: row.target_worker,
      capability: row.required_capability
    },
    context,
    now,
    workforce: readWorkforce(db, now),
    keyOwners: readKeyOwners(db)
  }
}

/** For the worker that comes to it first; where none can, among intents with the same conditions. */
function aheadOf(db: Connection, { row, wanted, workforce, now }: Case): number {
  const able = workforce.ableTo(wanted).slice(0, MAX_JUDGED)
  if (able.length === 0) return aheadAmongAlike(db, row, now)
  return Math.min(...able.map((asking) => aheadFor(db, row, asking, now)))
}

function orderRule(ahead: number): Check {
  if (ahead === 0) return holds('order', 'No other intent comes before it.')
  return holds('order', `${before(ahead)} before it: by priority, then by how long they wait.`)
}

/** The answer: what keeps it now, or who should take it. */
function verdictOf({ wanted, workforce, now }: Case, checks: readonly Check[], ahead: number): string {
  const [bus, status] = checks as [Check, Check]
  if (status.outcome !== 'holds') return status.text
  if (bus.outcome !== 'holds') return bus.text
  const failed = checks.find(({ outcome }) => outcome === 'fails')
  const waiting = checks.find(({ outcome }) => outcome === 'waits')
  if (failed?.rule === 'lifetime') return failed.text
  const noWorker = checks.find(({ rule, outcome }) => rule === 'workers' && outcome === 'fails')
  // Where there is no worker at all, what it would have to ask for is of no interest yet.
  const lacking = workforce.all.some(({ presence }) => presence !== 'gone') ? failed : noWorker
  if (waiting !== undefined) return lacking === undefined ? waiting.text : `${waiting.text} ${lacking.text}`
  if (lacking !== undefined) return lacking.text
  const workers = rules.distinct(workforce.ableTo(wanted))
  const ready = workers.filter(({ presence, holds: held }) => presence === 'online' && held.length === 0)
  const order = ahead === 0 ? 'it is next in line' : `${before(ahead)} before it`
  if (ready.length > 0) return `It should be claimed within seconds by ${enumerate(ready.map(workerName))}; ${order}.`
  return `It waits for a worker to be free: ${rules.states(workers, now)}; ${order}.`
}

function before(ahead: number): string {
  const number = ahead === MAX_AHEAD ? `${MAX_AHEAD.toLocaleString('en-US')} or more intents` : plural(ahead, 'intent')
  return `${number} ${ahead === 1 ? 'comes' : 'come'}`
}
