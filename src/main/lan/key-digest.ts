import { createHash, type KeyObject } from 'node:crypto'

/** SHA-256 of a public key as certificates hold it: what pins are made of. */
export function keyDigest(publicKey: KeyObject, encoding: 'base64' | 'hex'): string {
  return createHash('sha256').update(publicKey.export({ type: 'spki', format: 'der' })).digest(encoding)
}
