import type { InterfaceView, PairingRequestView, SharingCheck, SharingView } from '../../../shared/control/network-views.ts'
import type { Choice } from '../../lib/ui/choice.ts'

/** What is said of networks, in plain words. */

const KIND_WORDS: Readonly<Record<InterfaceView['kind'], string>> = {
  lan: '',
  vpn: 'VPN: reaches who is in it, not the home network',
  virtual: 'virtual: of containers or virtual machines, where no other machine is'
}

/**
 * What can be chosen to share on, the recommended first; the value is empty for what the bus takes by itself. `chosen`: the
 * setting, which may name one that is gone.
 */
export function interfaceChoices({ interfaces, automatic: taken }: Pick<SharingView, 'interfaces' | 'automatic'>, chosen: string): Choice[] {
  const first = interfaces.find(({ name }) => name === taken)
  const now = first === undefined ? 'none right now' : `now ${first.name} with ${first.addresses.join(', ')}`
  const automatic = { value: '', label: 'Automatic (recommended)', hint: `The home network, ${now}.` }
  const named = interfaces.map(({ name, addresses, kind }) => {
    return { value: name, label: name, isMono: true, hint: [addresses.join(', '), KIND_WORDS[kind]].filter(Boolean).join(' – ') }
  })
  const isGone = chosen !== '' && !interfaces.some(({ name }) => name === chosen)
  return [automatic, ...named, ...(isGone ? [{ value: chosen, label: chosen, isMono: true, hint: 'Not there now.' }] : [])]
}

/** Whether an address is a name that machines find by asking all others of their network, which not every network lets through. */
export function isLocalName(url: string): boolean {
  return new URL(url).hostname.endsWith('.local')
}

/** What came of sharing, or of sharing otherwise, as a sentence. */
export function outcomeOfSharing({ state, problem }: SharingView): string {
  if (state === 'waiting') return 'Sharing is on; it waits for a network.'
  return state === 'listening' ? 'The bus is shared from now on.' : (problem ?? 'The bus is not shared.')
}

export const STATE_WORDS: Readonly<Record<SharingView['state'], string>> = {
  off: 'Starting',
  listening: 'Shared',
  waiting: 'Waiting for a network',
  failed: 'Not shared'
}

export const REQUEST_WORDS: Readonly<Record<PairingRequestView['state'], string>> = {
  waiting: 'Waits for you',
  allowed: 'Let in, not fetched yet',
  taken: 'Let in',
  refused: 'Refused',
  expired: 'Expired'
}

export const CHECK_WORDS: Readonly<Record<SharingCheck['name'], string>> = {
  address: 'Address',
  connection: 'Connection',
  certificate: 'Certificate',
  answer: 'Answer',
  clock: 'Clock',
  discovery: 'Discovery'
}
