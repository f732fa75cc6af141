/** A signature as it was written. */
export interface DigestForm {
  /** The digest itself. */
  readonly bytes: Buffer
  /** How it was written where that is wrong, as the end of a sentence: "The client wrote …". */
  readonly wrote: string | null
}

/** Reads a signature in any of the forms that clients write it in; undefined when it is no digest of SHA-256. */
export function digestForm(signature: string): DigestForm | undefined {
  if (/^[0-9a-f]{64}$/.test(signature)) return { bytes: Buffer.from(signature, 'hex'), wrote: null }
  if (/^[0-9a-f]{64}$/i.test(signature)) return { bytes: Buffer.from(signature, 'hex'), wrote: 'the digest in capital letters' }
  const [, prefixed] = /^[a-z0-9-]+[=: ]([0-9a-f]{64})$/i.exec(signature) ?? []
  if (prefixed !== undefined) return { bytes: Buffer.from(prefixed, 'hex'), wrote: 'a word before the digest' }
  if (/^[A-Za-z0-9+/_-]{43}=?$/.test(signature)) return { bytes: Buffer.from(signature, 'base64'), wrote: 'the digest as base64' }
  return undefined
}

/** What a signature is that is no digest of SHA-256, as a sentence. */
export function otherDigest(signature: string): string {
  const hashes: Readonly<Record<number, string>> = { 32: 'MD5', 40: 'SHA-1', 96: 'SHA-384', 128: 'SHA-512' }
  const hash = /^[0-9a-f]+$/i.test(signature) ? hashes[signature.length] : undefined
  return hash === undefined
    ? `The signature is no digest: it has ${signature.length} characters, not 64 hex digits.`
    : `The signature is as long as one of ${hash}; it must be one of SHA-256.`
}
