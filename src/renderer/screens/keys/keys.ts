import { STATUS_NAMES, type Counts, type StatusName } from '../../../shared/control/intent-views.ts'
import type { KeyImpact } from '../../../shared/control/key-views.ts'
import { claimLines, publishLine, shellSetup } from '../../lib/text/commands.ts'
import { counted } from '../../lib/text/numbers.ts'
import type { BusPlace } from '../../lib/text/places.ts'
import { shellKey } from '../../lib/text/programs.ts'

/** The public id of the main key. */
export const MAIN_KEY = 'main'

/** Names that a sentence tells before it only counts. */
const NAMED = 3

/** What happens when a key is revoked, a sentence each. */
export function revokeEffects(id: string, { open, claimed, leases, workers }: KeyImpact): string[] {
  const effects = ['Requests with this key are refused at once, and it cannot be brought back.']
  if (open > 0) {
    effects.push(
      `${counted(open, 'open intent')} that it published ${stays(open)}. Private ones then go only to workers with the main key that ask for publisher=${id}.`
    )
  }
  if (claimed > 0) {
    const them = claimed === 1 ? 'it' : 'them'
    effects.push(`${counted(claimed, 'claimed intent')} that it published ${stays(claimed)} with whoever works on ${them}.`)
  }
  if (leases > 0) {
    effects.push(`It holds ${counted(leases, 'lease')}: that work can no longer be settled, and goes back to the queue when ${leasesEnd(leases)}.`)
  }
  effects.push(workers.length > 0 ? usedBy(workers) : 'No worker was seen with it.')
  return effects
}

/** What happens when the main key is replaced, a sentence each. */
export function rotateEffects({ leases, workers }: KeyImpact): string[] {
  const effects = ['Every program that has the main key is refused at once, until you give it the new one. Generated keys go on.']
  if (leases > 0) {
    effects.push(`It holds ${counted(leases, 'lease')}: that work can only be settled with the new key, before ${leasesEnd(leases)}.`)
  }
  if (workers.length > 0) effects.push(usedBy(workers))
  effects.push('Intents stay as they are and belong to the new key.')
  return effects
}

/** Statuses that a key has intents in, with how many. */
export function countedStatuses(counts: Counts): { readonly status: StatusName; readonly count: number }[] {
  return STATUS_NAMES.map((status) => ({ status, count: counts[status] })).filter(({ count }) => count > 0)
}

/** Lines that publish and claim with a new key, ready to paste; the key stands in each. */
export function keySnippets(place: BusPlace, key: string): { readonly id: string; readonly label: string; readonly code: string }[] {
  const setup = shellSetup(place, shellKey(key))
  return [
    { id: 'publish', label: 'Publish', code: `${setup}\n${publishLine('greet', '{"name":"Ada"}')}` },
    { id: 'claim', label: 'Claim', code: `${setup}\n${claimLines('greet')}` }
  ]
}

function stays(count: number): string {
  return count === 1 ? 'stays' : 'stay'
}

function leasesEnd(count: number): string {
  return count === 1 ? 'the lease ends' : 'the leases end'
}

function usedBy(workers: readonly string[]): string {
  const rest = workers.length - NAMED
  const names = rest > 0 ? `${workers.slice(0, NAMED).join(', ')} and ${rest} more` : workers.join(', ')
  return `Used by ${counted(workers.length, 'worker')}: ${names}.`
}
