import type { ArrivalView, SharingView, VisitsView } from '../../../shared/control/network-views.ts'
import { browserName } from '../../lib/text/device.ts'
import { firewallAdvice, type FirewallAdvice } from './firewall.ts'

/** Seconds without anybody after which it is time to say what may be wrong. */
export const SILENCE = 20

/** Arrivals that are shown before the rest is only counted: strangers must not fill the screen. */
export const MAX_SHOWN = 5

/** Seconds that a request shows that it works, though something else from there did not get through after it. */
const STILL_WORKS = 60

/** What the screen knows of other devices, newest first. */
export type Finding = (
  /** Nobody came yet, and it is early. */
  | { readonly kind: 'waiting' }
  /** Nobody came for long. */
  | { readonly kind: 'silent' }
  /** Somebody came and did not get through. */
  | { readonly kind: 'trouble'; readonly arrivals: readonly ArrivalView[] }
  /** Somebody got through; of `others` the last that came did not. */
  | { readonly kind: 'reached'; readonly by: ArrivalView; readonly others: readonly ArrivalView[] }
) & {
  /** Who came only before what listens now began. */
  readonly before: readonly ArrivalView[]
}

/** `now`: Unix seconds; `openedAt`: when somebody began to look. */
export function findingOf({ arrivals, since }: Pick<SharingView, 'arrivals' | 'since'>, now: number, openedAt: number): Finding {
  const from = since ?? -Infinity
  const present = arrivals.filter(({ lastAt }) => lastAt >= from).map((arrival) => withoutBefore(arrival, from))
  const before = arrivals.filter(({ lastAt }) => lastAt < from)
  const [by] = present.filter((arrival) => works(arrival, now)).sort((a, b) => b.success!.lastAt - a.success!.lastAt)
  if (by !== undefined) return { kind: 'reached', by, others: present.filter((arrival) => arrival !== by && arrival.outcome !== 'request'), before }
  if (present.length > 0) return { kind: 'trouble', arrivals: present, before }
  return { kind: now - Math.max(openedAt, from) < SILENCE ? 'waiting' : 'silent', before }
}

/** Whether who comes from an address gets through: one program that does not says nothing against another on the same machine. */
export function works({ success, trouble }: ArrivalView, now: number): boolean {
  return success !== null && (trouble === null || success.lastAt >= trouble.lastAt || now - success.lastAt < STILL_WORKS)
}

/** An arrival as if nothing had come before a moment. */
function withoutBefore(arrival: ArrivalView, from: number): ArrivalView {
  const since = (visits: VisitsView | null): VisitsView | null => (visits !== null && visits.lastAt >= from ? visits : null)
  return { ...arrival, success: since(arrival.success), trouble: since(arrival.trouble) }
}

/** `nas (curl/8.5.0)`: who got through, by its address where it has no name, and what its program calls itself. */
export function visitorName({ address, success }: ArrivalView): string {
  const who = success?.name ?? address
  const program = success === null || success.agent === null ? who : browserName(success.agent)
  // Paired browsers are called so unless somebody said otherwise.
  return program === who ? who : `${who} (${program})`
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
