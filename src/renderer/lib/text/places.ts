import type { BusStatus, SecretView } from '../../../shared/control/status-views.ts'

/** What the root certificate is called where it was copied to. */
export const ROOT_FILE = 'intent-bus-root.pem'

/** The package of the client, as every bus hands it out. */
export const CLIENT_FILE = 'intent-bus-client.tgz'

/** Where programs reach the bus, and by what they know it there. */
export interface BusPlace {
  readonly url: string
  /** Of the bus's own certificate, as curl takes it; null where no program has to be told one. */
  readonly pin: string | null
}

/** The bus's address as this browser or app sees it. */
export function busUrl(status: BusStatus): string {
  const { location, intentBus } = globalThis as { readonly location?: { readonly origin: string }; readonly intentBus?: object }
  if (location !== undefined && intentBus === undefined) return location.origin
  return status.listener?.state === 'listening' ? status.listener.url : 'http://127.0.0.1:7610'
}

/** For programs on the machine that this page is seen on. */
export function herePlace(status: BusStatus): BusPlace {
  const url = busUrl(status)
  return { url, pin: cameOverSharing(url, status) ? status.sharing.pin : null }
}

/** For programs on the bus's own machine, which need not know its certificate. */
export function ownPlace(status: BusStatus): BusPlace {
  const here = herePlace(status)
  const { listener } = status
  return here.pin !== null && listener?.state === 'listening' ? { url: listener.url, pin: null } : here
}

/** For programs on other machines; null while the bus is not shared. */
export function sharedPlace(status: BusStatus): BusPlace | null {
  const here = herePlace(status)
  const { url, pin } = status.sharing
  if (here.pin !== null) return here
  return url === null ? null : { url, pin }
}

/** The main key for a program at a place: what it is kept in on the bus's machine, no other machine can read. */
export function mainKeyAt({ pin }: BusPlace, { mainKey }: BusStatus): SecretView | null {
  return pin === null ? mainKey : null
}

/** Whether a page has come by the bus's own certificate, under whatever name. */
function cameOverSharing(url: string, { sharing }: BusStatus): boolean {
  return url.startsWith('https:') && sharing.url !== null && new URL(url).port === new URL(sharing.url).port
}
