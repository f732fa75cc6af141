import type { TlsOptions } from '../../client/index.ts'
import type { Address } from '../bus/address.ts'
import { lookAt, type Peer } from '../bus/peer.ts'
import { EXIT } from '../exit.ts'
import { fine, trouble, warning, type Check } from './check.ts'

const MS_PER_DAY = 86_400_000
/** A bus renews its certificate long before. */
const NOTABLE_DAYS = 7

/** What the TLS errors mean that have a cause of their own. */
const CAUSES: Readonly<Record<string, readonly [text: string, cure: string]>> = {
  ERR_TLS_CERT_ALTNAME_INVALID: [
    'is for other names and addresses than this one',
    'Use one of the addresses that the bus shows under Network.'
  ],
  CERT_HAS_EXPIRED: ['is over', "See whether this machine's clock is right; else restart the bus, which renews it."],
  CERT_NOT_YET_VALID: ['is not valid yet', "See whether this machine's clock is right, and that of the bus."]
}

/** Whether what answers over TLS is the bus that is meant, by pin and by certificate. Nothing where it cannot be looked at. */
export async function checkTls({ url, paired }: Address, trust: TlsOptions | undefined, signal: AbortSignal): Promise<Check[]> {
  if (!url.startsWith('https:')) return []
  const ca = paired?.ca ?? [trust?.ca ?? []].flat().join('\n')
  let peer: Peer
  try {
    peer = await lookAt(url, ca === '' ? undefined : ca, signal)
  } catch {
    signal.throwIfAborted()
    // The request that comes next says why.
    return []
  }
  const pins = [trust?.pin ?? []].flat()
  const pin = pins.length > 0 ? [checkPin(url, peer, pins)] : []
  return [...checkPaired(paired), ...pin, checkCertificate(peer, ca !== '', pins.length > 0)]
}

function checkPaired(paired: Address['paired']): Check[] {
  if (paired === undefined) return []
  const { name, keyId, pairedAt } = paired
  return [fine('paired', `Paired as ${name} since ${new Date(pairedAt * 1000).toISOString().slice(0, 10)}, with the key ${keyId}.`)]
}

function checkPin(url: string, peer: Peer, pins: readonly string[]): Check {
  if (pins.some((pin) => withPrefix(pin) === peer.pin)) return fine('pin', 'It shows the key that is pinned.')
  const text = `What answers at ${url} shows another key than the pinned one: ${peer.pin}.`
  const cure = 'See which pin the bus shows under Network: where it was replaced, pair again; else somebody is in between.'
  return trouble('pin', EXIT.unreachable, text, cure)
}

/** Where the pin decides, a certificate that is not trusted is no trouble to this program, but to others. */
function checkCertificate({ certificate, distrust }: Peer, hasAuthority: boolean, isPinned: boolean): Check {
  if (distrust === null) return checkExpiry(certificate.validToDate)
  const [what, cure] = CAUSES[distrust] ?? (hasAuthority ? strangeTo('the root that is given') : strangeTo('this machine'))
  const text = `The certificate ${what}`
  if (!isPinned) return trouble('certificate', EXIT.unreachable, `${text}.`, cure)
  return hasAuthority
    ? warning('certificate', `${text}: the pin decides here, but programs that trust the root refuse it.`, cure)
    : fine('certificate', `${text}: the pin decides.`)
}

function strangeTo(whom: string): readonly [text: string, cure: string] {
  return [`is strange to ${whom}`, 'Pair with the bus, or name its pin with --pin, or with --ca the root that it shows under Network.']
}

function checkExpiry(until: Date): Check {
  const days = (until.getTime() - Date.now()) / MS_PER_DAY
  const text = `The certificate is good until ${until.toISOString().slice(0, 10)}.`
  if (days >= NOTABLE_DAYS) return fine('certificate', text)
  return warning('certificate', text, 'A bus renews its own by itself: see its log, or restart it.')
}

function withPrefix(pin: string): string {
  return pin.startsWith('sha256//') ? pin : `sha256//${pin}`
}
