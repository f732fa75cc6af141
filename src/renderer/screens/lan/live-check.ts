import type { ArrivalView, SharingView } from '../../../shared/control/network-views.ts'
import { browserName } from '../../lib/text/device.ts'
import { firewallAdvice, type FirewallAdvice } from './firewall.ts'

/** Seconds without anybody after which it is time to say what may be wrong. */
export const SILENCE = 20

/** Arrivals that are shown before the rest is only counted: strangers must not fill the screen. */
export const MAX_SHOWN = 5

/** What the screen knows of other devices. */
export type Finding =
  /** Nobody came yet, and it is early. */
  | { readonly kind: 'waiting' }
  /** Nobody came for long. */
  | { readonly kind: 'silent' }
  /** Somebody came and did not get through; newest first. */
  | { readonly kind: 'trouble'; readonly arrivals: readonly ArrivalView[] }
  /** Somebody got through; `others` came and did not. */
  | { readonly kind: 'reached'; readonly by: ArrivalView; readonly others: readonly ArrivalView[] }

/** `arrivals`: newest first; `silentFor`: seconds since the waiting began. */
export function findingOf(arrivals: readonly ArrivalView[], silentFor: number): Finding {
  const by = arrivals.find(({ outcome }) => outcome === 'request')
  if (by !== undefined) return { kind: 'reached', by, others: arrivals.filter(({ outcome }) => outcome !== 'request') }
  if (arrivals.length > 0) return { kind: 'trouble', arrivals }
  return { kind: silentFor < SILENCE ? 'waiting' : 'silent' }
}

/** `nas (curl/8.5.0)`: who came, by its address where it has no name, and what its program calls itself. */
export function visitorName({ name, address, agent }: ArrivalView): string {
  const who = name ?? address
  return agent === null ? who : `${who} (${browserName(agent)})`
}

/** One thing that keeps devices out, and what to do about it. */
export interface Cause {
  readonly title: string
  readonly text: string
  /** Where it is the firewall: what each system that may be meant does. */
  readonly firewall: readonly FirewallAdvice[]
}

/** Why nobody comes, the likeliest first. */
export function causesOfSilence({ interface: name, interfaces, port, platform }: SharingView): Cause[] {
  const shared = interfaces.find((one) => one.name === name)
  const others = interfaces.filter((one) => one.kind === 'lan' && one.name !== name)
  const where = shared === undefined ? 'the network that is shared' : `the network of ${shared.addresses[0]}`
  const elsewhere = others.length === 0 ? '' : ` This machine is also in ${others.map(({ name, addresses }) => `${name} (${addresses[0]})`).join(', ')}: choose that above if the device is there.`
  return [
    {
      title: 'Another network',
      text: `The device must be in ${where}: not on mobile data, not on a guest network, not inside a VPN.${elsewhere}`,
      firewall: []
    },
    {
      title: 'The firewall of the bus’s machine',
      text: `It must let in port ${port}, also where it was asked before and said no.`,
      firewall: firewallAdvice(platform, port)
    },
    {
      title: 'The Wi-Fi keeps devices apart',
      text: 'Many guest networks and some routers do (“client isolation”, “AP isolation”). Turn it off there, or connect one of the two by cable.',
      firewall: []
    }
  ]
}
