import type { WorkerView } from '../../../shared/control/worker-views.ts'
import { ago, code } from './words.ts'
import { workerName, type Workforce } from './workforce.ts'

/** What is known of workers with some property, as the second half of a sentence. */
export interface Sighting {
  /** Whether one of them is there. */
  readonly isThere: boolean
  readonly worker: WorkerView | undefined
  /** "`pi4` is online", "the last worker offering it, `pi4`, was seen 3 h ago". */
  readonly text: string
}

/** The worker that an intent is meant for. */
export function sightTarget(workforce: Workforce, target: string, now: number): Sighting {
  const worker = workforce.all.find((candidate) => candidate.worker === target)
  const name = code(target)
  if (worker === undefined) return { isThere: false, worker, text: 'no worker of that name was ever seen' }
  if (worker.presence === 'gone') return { isThere: false, worker, text: `${name} was last seen ${ago(worker.lastSeenAt, now)}` }
  return { isThere: true, worker, text: isThere(worker, now) }
}

/** Workers that offer a capability. */
export function sightCapability(workforce: Workforce, capability: string, now: number): Sighting {
  const worker = workforce.all.find(({ capabilities }) => capabilities.includes(capability))
  if (worker === undefined) return { isThere: false, worker, text: 'no worker has ever offered it' }
  const name = workerName(worker)
  if (worker.presence !== 'gone') return { isThere: true, worker, text: `${name} offers it` }
  return { isThere: false, worker, text: `the last worker offering it, ${name}, was seen ${ago(worker.lastSeenAt, now)}` }
}

/** Workers that use a key. */
export function sightKey(workforce: Workforce, keyId: string, now: number): Sighting {
  const worker = workforce.all.find(({ key }) => key === keyId)
  if (worker === undefined) return { isThere: false, worker, text: 'no worker was ever seen with that key' }
  const name = workerName(worker)
  if (worker.presence !== 'gone') return { isThere: true, worker, text: `${name} uses that key` }
  return { isThere: false, worker, text: `the last worker with that key, ${name}, was seen ${ago(worker.lastSeenAt, now)}` }
}

/** "`pi4` is online", or since when it is not. */
export function isThere(worker: WorkerView, now: number): string {
  const name = workerName(worker)
  return worker.presence === 'online' ? `${name} is online` : `${name} is late: it was last seen ${ago(worker.lastSeenAt, now)}`
}
