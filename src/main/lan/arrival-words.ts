import type { ArrivalOutcome } from '../../shared/control/network-views.ts'
import type { Visit } from '../net/http-server.ts'

/** What a user is told of how it went for a visitor, and what to do about it. */
export const ARRIVAL_WORDS: Readonly<Record<ArrivalOutcome, { readonly text: string; readonly next: string | null }>> = {
  request: { text: 'Reached the bus.', next: null },
  spoke_http: {
    text: 'Spoke plain HTTP to the port for HTTPS.',
    next: 'Use the address that begins with https://.'
  },
  distrusts_certificate: {
    text: 'Does not trust the certificate of this bus.',
    next: 'Give it the root certificate (curl: --cacert), or the pin (curl: -k --pinnedpubkey), and use a name or an address that the certificate is for.'
  },
  broke_off: {
    text: 'Connected, and left before it asked for anything.',
    next: 'A program with another pin, or one that does not trust the certificate, may leave like that; compare its pin with the one of this bus.'
  },
  wrong_host: {
    text: 'Asked for this bus by a name that is not one of its own.',
    next: 'Use one of the addresses that the bus shows, or add the name with BUS_ALLOWED_HOSTS.'
  },
  clock_off: {
    text: 'Signed its request by a clock that is too far off.',
    next: 'Have both machines set their clocks by the network; they may differ by 300 seconds.'
  },
  wrong_signature: {
    text: 'Signed its request in another way than the bus does, or sent it twice.',
    next: 'Look at the refused signatures, in Activity: they show what the bus signs over.'
  },
  wrong_key: {
    text: 'Sent an API key that does not count.',
    next: 'Pair it again, or give it a key that is neither revoked nor expired.'
  },
  wrong_password: {
    text: 'Sent a wrong password or token of an operator.',
    next: 'Look at the password in the settings.'
  }
}

/** node's codes of what a peer says in TLS when it does not accept a certificate. */
const DISTRUST = /^ERR_SSL_.*_ALERT_(UNKNOWN_CA|BAD_CERTIFICATE|CERTIFICATE_UNKNOWN|CERTIFICATE_EXPIRED|UNSUPPORTED_CERTIFICATE|ACCESS_DENIED|DECRYPT_ERROR)$/

/** How it went for a visitor that left without a request. */
export function outcomeOfLeaving(code: string | undefined): ArrivalOutcome {
  if (code === 'ERR_SSL_HTTP_REQUEST') return 'spoke_http'
  return code !== undefined && DISTRUST.test(code) ? 'distrusts_certificate' : 'broke_off'
}

/** How it went for a request. One without credentials has still shown that the way is free. */
export function outcomeOfRequest({ refused, credentials }: Pick<Visit, 'refused' | 'credentials'>): ArrivalOutcome {
  switch (refused?.code) {
    case 'invalid_host':
      return 'wrong_host'
    case 'invalid_signature':
      return refused.trouble === 'stale' ? 'clock_off' : 'wrong_signature'
    case 'unauthorized':
      return credentials === 'key' ? 'wrong_key' : credentials === 'password' ? 'wrong_password' : 'request'
    default:
      return 'request'
  }
}
