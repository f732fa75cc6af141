import type { ArrivalOutcome } from '../../shared/control/network-views.ts'
import type { Visit } from '../net/http-server.ts'

/** What a user is told of how it went for a visitor, and what to do about it. What is typed stands in backticks. */
export const ARRIVAL_WORDS: Readonly<Record<ArrivalOutcome, { readonly text: string; readonly next: string | null }>> = {
  request: { text: 'Reached the bus.', next: null },
  spoke_http: {
    text: 'Spoke plain HTTP to the port for HTTPS.',
    next: 'Use the address that begins with `https://`.'
  },
  distrusts_certificate: {
    text: 'Does not trust the certificate of this bus.',
    next: 'Give it the root certificate or the pin, as the lines under “From another machine” do, and use a name or an address that the certificate is for. If it has all that, look at its clock.'
  },
  certificate_expired: {
    text: 'Finds that the certificate of this bus has expired.',
    next: 'One of the two clocks is wrong, most likely: have both machines set theirs by the network.'
  },
  wrong_root: {
    text: 'Trusts a root certificate with the name of this one and another key.',
    next: 'Give it the root certificate that this bus has now, in place of the older one.'
  },
  broke_off: {
    text: 'Connected, and left before it asked for anything.',
    next: 'A program with another pin, or one that does not trust the certificate or finds another name in it, may leave like that; compare its pin and address with those of this bus.'
  },
  malformed: {
    text: 'Sent something that is no HTTP request.',
    next: 'The way is free: look at its program. It must speak HTTP/1.1, without line breaks in its key or another header.'
  },
  plain_http: {
    text: 'Asked over plain HTTP for what takes HTTPS.',
    next: 'Use the address that begins with `https://`.'
  },
  wrong_host: {
    text: 'Asked for this bus by a name that is not one of its own.',
    next: 'Use one of the addresses that the bus shows, or add the name with `BUS_ALLOWED_HOSTS`.'
  },
  other_site: {
    text: 'A page of another web site asked in its browser.',
    next: 'Open the interface by an address that the bus shows. A page of your own is let in by `BUS_ALLOWED_ORIGINS`.'
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
    next: 'Settings, Browsers says where the password is, and changes it. A phone needs none: pair it, by Network, Pair a device.'
  },
  wrong_code: {
    text: 'Asked to be let in with a pairing code that is wrong, was used, or is over.',
    next: 'Press Pair a device for a new one: it counts for one device and two minutes.'
  },
  limited: {
    text: 'Asked for something that it may not do.',
    next: 'What a key may do is under Keys, Limits. What a paired browser may do was chosen when it was let in: pair it again for more.'
  }
}

/**
 * node's codes of what a peer says in TLS when it does not accept a certificate. OpenSSL says BAD_CERTIFICATE also where a
 * clock is behind or a name is not in it, and Chromium says CERTIFICATE_UNKNOWN whatever the matter is.
 */
const DISTRUST = /^ERR_SSL_.*_ALERT_(UNKNOWN_CA|BAD_CERTIFICATE|CERTIFICATE_UNKNOWN|UNSUPPORTED_CERTIFICATE|ACCESS_DENIED)$/
/** The bus signs a new certificate long before one is over. */
const EXPIRED = /^ERR_SSL_.*_ALERT_CERTIFICATE_EXPIRED$/
/** The signature did not hold: the peer knows another key by the root's name. Where roots name their keys, it is UNKNOWN_CA. */
const WRONG_ROOT = /^ERR_SSL_.*_ALERT_DECRYPT_ERROR$/

/** The parser's codes for what it cannot read. */
const MALFORMED = /^HPE_/

/** How it went for a visitor that left without a request. */
export function outcomeOfLeaving(code = ''): ArrivalOutcome {
  if (code === 'ERR_SSL_HTTP_REQUEST') return 'spoke_http'
  // A request, with more headers than the bus reads.
  if (code === 'HPE_HEADER_OVERFLOW') return 'request'
  if (MALFORMED.test(code)) return 'malformed'
  if (EXPIRED.test(code)) return 'certificate_expired'
  if (WRONG_ROOT.test(code)) return 'wrong_root'
  return DISTRUST.test(code) ? 'distrusts_certificate' : 'broke_off'
}

/**
 * How it went for a request. What is refused for its content, or because there is too much or nothing to be had, has shown
 * that the way is free, and so has one without credentials.
 */
export function outcomeOfRequest({ refused, credentials }: Pick<Visit, 'refused' | 'credentials'>): ArrivalOutcome {
  switch (refused?.code) {
    case 'https_required':
      return 'plain_http'
    case 'invalid_host':
      return 'wrong_host'
    case 'cross_site':
      return 'other_site'
    case 'invalid_signature':
      return refused.trouble === 'stale' ? 'clock_off' : 'wrong_signature'
    case 'invalid_code':
      return 'wrong_code'
    case 'forbidden':
      // A browser is asked for its password again before secrets: that is no matter of rights.
      return refused.field === 'password' ? 'request' : 'limited'
    case 'unauthorized':
      return credentials === 'key' ? 'wrong_key' : credentials === 'password' ? 'wrong_password' : 'request'
    default:
      return 'request'
  }
}
