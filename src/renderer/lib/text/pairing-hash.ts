/** What the QR code of a pairing code says to the page that it leads to. */
export interface PairingHash {
  readonly code: string
  /** By which the bus is known, as curl takes it; null in a link that was written by hand. */
  readonly pin: string | null
  /** SHA-256 of its root certificate, as `IdentityView.fingerprint` has it; null likewise. */
  readonly root: string | null
}

/** `#pair=K7QF-92MX&pin=sha256%2F%2F…&root=…`, as a location has it; null for any other hash. */
export function readPairingHash(hash: string): PairingHash | null {
  const members = new URLSearchParams(hash.slice(1))
  const code = members.get('pair')
  return code === null ? null : { code, pin: members.get('pin'), root: fingerprintOf(members.get('root') ?? '') }
}

/** A pin as browsers show it in a certificate's details: the digest of the public key in hex; null for what is no pin. */
export function pinInHex(pin: string): string | null {
  const [, digest] = /^sha256\/\/([A-Za-z0-9+/]{43}=)$/.exec(pin) ?? []
  return digest === undefined ? null : hexPairs(digest).join('')
}

/** A digest in base64url in hex pairs with colons; null for what is none. */
function fingerprintOf(digest: string): string | null {
  if (!/^[A-Za-z0-9_-]{43}$/.test(digest)) return null
  return hexPairs(digest.replaceAll('-', '+').replaceAll('_', '/')).join(':').toUpperCase()
}

function hexPairs(base64: string): string[] {
  return Array.from(atob(base64), (byte) => byte.charCodeAt(0).toString(16).padStart(2, '0'))
}
