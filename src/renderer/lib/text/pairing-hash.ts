/** What the QR code of a pairing code says to the page that it leads to. */
export interface PairingHash {
  readonly code: string
  /** By which the bus is known, as curl takes it; null in a link that was written by hand. */
  readonly pin: string | null
}

/** `#pair=K7QF-92MX&pin=sha256%2F%2F…`, as a location has it; null for any other hash. */
export function readPairingHash(hash: string): PairingHash | null {
  const members = new URLSearchParams(hash.slice(1))
  const code = members.get('pair')
  return code === null ? null : { code, pin: members.get('pin') }
}

/** A pin as browsers show it in a certificate's details: the digest of the public key in hex; null for what is no pin. */
export function pinInHex(pin: string): string | null {
  const [, digest] = /^sha256\/\/([A-Za-z0-9+/]{43}=)$/.exec(pin) ?? []
  return digest === undefined ? null : Array.from(atob(digest), (byte) => byte.charCodeAt(0).toString(16).padStart(2, '0')).join('')
}
