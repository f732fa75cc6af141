import type { PairingCodeView } from '../../../shared/control/network-views.ts'
import { ASK_WAIT } from '../../../shared/pairing.ts'
import type { PairingCode } from './code.ts'

/** Where a person's browser finds the interface. */
const INTERFACE_PATH = '/admin/'

/**
 * A code, and what to do with it on the device. `url`: the bus's best address for other machines; `fingerprint`: of its root, in hex
 * pairs with colons.
 */
export function codeView({ text, pin, expiresAt }: PairingCode, url: string, fingerprint: string): PairingCodeView {
  // The shortest form: each character makes the QR code finer.
  const root = Buffer.from(fingerprint.replaceAll(':', ''), 'hex').toString('base64url')
  // Brackets, of IPv6 addresses, are patterns to some shells.
  const word = url.includes('[') ? `'${url}'` : url
  const body = `{\\"code\\":\\"${text}\\",\\"name\\":\\"$(hostname)\\",\\"wait\\":${ASK_WAIT.max}}`
  return {
    code: text,
    expiresAt,
    // In the fragment, which browsers keep to themselves.
    link: `${url}${INTERFACE_PATH}#pair=${text}&pin=${encodeURIComponent(pin)}&root=${root}`,
    command: `intent-bus pair ${word} --code ${text} --pin ${pin}`,
    // The pin alone says who the bus is; -k only keeps curl from asking authorities, too.
    curl: `curl -q -sS -k --pinnedpubkey ${pin} -H 'Content-Type: application/json' -d "${body}" ${word.replace(url, `${url}/pair`)}`
  }
}
