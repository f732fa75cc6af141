import type { Check } from '../../../shared/control/intent-views.ts'
import type { WorkerAsk, WorkerView } from '../../../shared/control/worker-views.ts'
import { fails, holds, type Case } from './explain-case.ts'
import { isThere, sightCapability, sightKey, sightTarget } from './sightings.ts'
import { ago, code, enumerate, plural } from './words.ts'
import { isMeant, keyName, mayClaim, workerName, type Asking, type Wanted, type Workforce } from './workforce.ts'

/** Intents never leave their namespace (SPEC 6.1). */
export function namespaceRule({ wanted: { namespace }, workforce, now }: Case): Check {
  const asking = workforce.askingIn(namespace)
  const name = code(namespace)
  if (asking.length > 0) return holds('namespace', `${askersOf(asking)} namespace ${name}.`)
  const barred = workforce.barred.filter(({ ask }) => ask.namespace === namespace)
  if (barred.length > 0) return barredFrom('namespace', `asked for namespace ${name}`, barred, workforce)
  const last = lastToAsk(workforce, (ask) => ask.namespace === namespace)
  const others = [...new Set(workforce.all.flatMap(({ asks }) => asks.map((ask) => code(ask.namespace))))]
  const cure = `Start a worker that claims with \`namespace=${namespace}\`.`
  if (last !== undefined) return fails('namespace', `No worker asks for namespace ${name}: ${lastAsked(last, now)}.`, cure)
  const elsewhere = others.length === 0 ? '' : ` Workers ask for ${enumerate(others)} instead.`
  return fails('namespace', `No worker has ever asked for namespace ${name}.${elsewhere}`, cure)
}

/** Somebody has to ask for the goal, or for any. */
export function goalRule({ wanted, workforce, now }: Case): Check {
  const { namespace, goal } = wanted
  const asking = workforce.asking(wanted)
  const name = code(goal)
  if (asking.length > 0) {
    const isNamed = asking.some(({ ask }) => ask.goal === goal)
    return holds('goal', `${askersOf(asking)} ${isNamed ? name : `any goal, so for ${name} too`}.`)
  }
  const isMeantByAsk = (ask: WorkerAsk): boolean => ask.namespace === namespace && (ask.goal === null || ask.goal === goal)
  const barred = workforce.barred.filter(({ ask }) => isMeantByAsk(ask))
  if (barred.length > 0) return barredFrom('goal', `asked for ${name}`, barred, workforce)
  const last = lastToAsk(workforce, isMeantByAsk)
  if (last !== undefined) {
    return fails('goal', `No worker asks for ${name}: ${lastAsked(last, now)}.`, `Start ${workerName(last.worker)} again.`)
  }
  const text = `No worker has ever asked for ${name} in namespace ${code(namespace)}.`
  return fails('goal', text, `Start a worker that claims ${name}, or any goal.`)
}

/** SPEC 6.2. */
export function visibilityRule(judged: Case): Check {
  const { wanted, workforce } = judged
  const asking = workforce.asking(wanted)
  const allowed = asking.filter(({ worker, ask }) => mayClaim(worker, ask, wanted))
  if (wanted.privateTo !== null) return privacyRule(judged, wanted.privateTo, asking, allowed)
  if (asking.length === 0 || allowed.length > 0) return holds('visibility', 'It is public: workers with any key may claim it.')
  const text = `It is public, but ${askersOf(asking)} the intents of other publishers only.`
  return fails('visibility', text, 'Start a worker that names no publisher.')
}

/** `asking`: who asks for its goal; `allowed`: those of them who may claim it. */
function privacyRule(judged: Case, keyId: string, asking: readonly Asking[], allowed: readonly Asking[]): Check {
  const { wanted, workforce, now, keyOwners } = judged
  const key = keyName(keyId, keyOwners.get(keyId))
  const bar = workforce.barOf(keyId, wanted.namespace, wanted.goal)
  if (bar === 'revoked') {
    const text = `It is private, and ${key} was revoked: no worker can claim it.`
    return fails('visibility', text, 'Duplicate it, and cancel this one.')
  }
  const subject = `It is private: only workers with ${key} may claim it`
  if (allowed.length > 0) {
    return holds('visibility', `${subject}, and ${namesOf(allowed)} ${distinct(allowed).length === 1 ? 'has' : 'have'} it.`)
  }
  if (bar !== undefined) {
    const why = bar === 'expired' ? 'that key has expired' : 'that key may not claim it'
    return fails('visibility', `${subject}, and ${why}.`, 'Change the limits of that key under Keys, or publish it again as public.')
  }
  const sighting = sightKey(workforce, keyId, now)
  if (asking.length === 0 && sighting.isThere) return holds('visibility', `${subject}, and ${sighting.text}.`)
  const idle = sighting.isThere ? ' but does not ask for it' : ''
  const others = asking.length === 0 ? '' : ` ${askersOf(asking)} it with another key.`
  const text = `${subject}, and ${sighting.text}${idle}.${others}`
  return fails('visibility', text, 'Start a worker with that key, or publish it again as public.')
}

/** Workers asked, but their keys do not let them any more. */
function barredFrom(rule: Check['rule'], what: string, barred: readonly Asking[], workforce: Workforce): Check {
  const [{ worker, ask }] = barred as [Asking]
  const bar = workforce.barOf(worker.key, ask.namespace, ask.goal)!
  const why = bar === 'revoked' ? 'its key was revoked' : bar === 'expired' ? 'its key has expired' : 'its key may not claim that any more'
  const cure = bar === 'revoked' ? 'Give it another key.' : 'Change the limits of its key under Keys, or give it another key.'
  return fails(rule, `${workerName(worker)} ${what}, but ${why}.`, cure)
}

/** SPEC 6.4. */
export function targetRule({ wanted: { target }, workforce, now }: Case): Check {
  if (target === null) return holds('target', 'It is meant for no worker in particular.')
  const { isThere, text } = sightTarget(workforce, target, now)
  const full = `It is meant for worker ${code(target)} only; ${text}.`
  if (isThere) return holds('target', full)
  return fails('target', full, `Start a worker with \`X-Worker-ID: ${target}\`, or publish it again without a target.`)
}

/** SPEC 6.5. */
export function capabilityRule({ wanted: { capability }, workforce, now }: Case): Check {
  if (capability === null) return holds('capability', 'It needs no capability.')
  const { isThere, text, worker } = sightCapability(workforce, capability, now)
  const full = `It needs capability ${code(capability)}; ${text}.`
  if (isThere) return holds('capability', full)
  const again = worker === undefined ? '' : `${workerName(worker)} again, or `
  return fails('capability', full, `Start ${again}a worker with \`X-Worker-Capabilities: ${capability}\`.`)
}

/** All conditions must be met by one and the same worker. `others`: how the rules above came out. */
export function workersRule({ wanted, workforce, now }: Case, others: readonly Check[]): Check {
  const [latest] = workforce.all
  if (latest === undefined) {
    const cure = 'Start one: the Overview shows the line of curl that claims.'
    return fails('workers', 'No worker has ever asked this bus for anything.', cure)
  }
  if (latest.presence === 'gone') {
    const name = workerName(latest)
    const text = `No worker is there; the last one, ${name}, was seen ${ago(latest.lastSeenAt, now)}.`
    return fails('workers', text, `Start ${name} again.`)
  }
  const able = workforce.ableTo(wanted)
  if (able.length > 0) {
    const workers = distinct(able)
    const verb = workers.length === 1 ? 'meets' : 'meet'
    return holds('workers', `${namesOf(able)} ${verb} every condition; ${states(workers, now)}.`)
  }
  if (others.some(({ outcome }) => outcome === 'fails')) {
    return fails('workers', 'No worker that is there meets every condition.')
  }
  const present = workforce.all.filter(({ presence }) => presence !== 'gone')
  const partly = present.toSorted((a, b) => lacks(a, wanted, workforce).length - lacks(b, wanted, workforce).length)
  const reasons = partly.slice(0, 3).map((worker) => `${workerName(worker)} ${enumerate(lacks(worker, wanted, workforce))}`)
  return fails(
    'workers',
    `Each condition is met by some worker, but no worker meets all of them: ${reasons.join('; ')}.`,
    'Start a worker that meets all of them, or publish it again with fewer.'
  )
}

/** What keeps a worker from claiming, in halves of sentences. */
function lacks(worker: WorkerView, wanted: Wanted, workforce: Workforce): string[] {
  const asks = workforce.asking(wanted).filter((one) => one.worker === worker)
  const { target, capability } = wanted
  const lacking: string[] = []
  if (asks.length === 0) lacking.push('does not ask for it')
  else if (!asks.some(({ ask }) => mayClaim(worker, ask, wanted))) lacking.push('uses another key')
  if (!isMeant(worker, { ...wanted, capability: null })) lacking.push(`is not ${code(target!)}`)
  if (!isMeant(worker, { ...wanted, target: null })) lacking.push(`does not offer ${code(capability!)}`)
  return lacking
}

/** "`pi4` is online", "`pi4` is busy with 2 intents". */
export function states(workers: readonly WorkerView[], now: number): string {
  const told = workers.slice(0, 3).map((worker) => {
    const { holds: held } = worker
    return held.length === 0 ? isThere(worker, now) : `${workerName(worker)} is busy with ${plural(held.length, 'intent')}`
  })
  return enumerate(told)
}

/** Each worker once, those that are online and free first. */
export function distinct(asking: readonly Asking[]): WorkerView[] {
  const rank = ({ presence, holds: held }: WorkerView): number => (presence !== 'online' ? 2 : held.length > 0 ? 1 : 0)
  return [...new Set(asking.map(({ worker }) => worker))].sort((a, b) => rank(a) - rank(b))
}

function namesOf(asking: readonly Asking[]): string {
  return enumerate([...new Set(distinct(asking).map(workerName))])
}

function askersOf(asking: readonly Asking[]): string {
  return `${namesOf(asking)} ${new Set(distinct(asking).map(workerName)).size === 1 ? 'asks' : 'ask'} for`
}

interface LastAsk {
  readonly worker: WorkerView
  readonly at: number
}

function lastToAsk({ all }: Workforce, isMeantByAsk: (ask: WorkerAsk) => boolean): LastAsk | undefined {
  const asks = all.flatMap((worker) => worker.asks.filter(isMeantByAsk).map(({ lastAt }) => ({ worker, at: lastAt })))
  return asks.length === 0 ? undefined : asks.reduce((last, ask) => (ask.at > last.at ? ask : last))
}

function lastAsked({ worker, at }: LastAsk, now: number): string {
  return `the last one that did was ${workerName(worker)}, ${ago(at, now)}`
}
