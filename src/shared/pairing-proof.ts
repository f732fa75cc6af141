/**
 * Proofs by which a device and a bus show each other that they know the same code, and see the same pin. Somebody in between
 * who ends TLS has another pin: what passes through there proves nothing to either side, and to find the code out of it in the
 * two minutes that it counts takes 600,000 hashes for each of 2^40 codes.
 */

export type ProofKey = Awaited<ReturnType<typeof crypto.subtle.importKey>>

/** What OWASP asks for PBKDF2 with SHA-256. */
const ROUNDS = 600_000

const encoder = new TextEncoder()

/** The key of proofs. `code`: as readCode gives it; `pairing`: what `GET /pair` says; `pin`: the one that this side sees. */
export async function proofKey(code: string, pairing: string, pin: string): Promise<ProofKey> {
  const salt = encoder.encode(`intent-bus pairing 1\n${pairing}\n${pin}`)
  const password = await crypto.subtle.importKey('raw', encoder.encode(code), 'PBKDF2', false, ['deriveKey'])
  const derivation = { name: 'PBKDF2', hash: 'SHA-256', salt, iterations: ROUNDS }
  const use = { name: 'HMAC', hash: 'SHA-256', length: 256 }
  return crypto.subtle.deriveKey(derivation, password, use, false, ['sign', 'verify'])
}

/** What a device sends. `nonce`: hex digits; `name`: exactly as it travels. */
export function deviceProof(key: ProofKey, nonce: string, name: string): Promise<string> {
  return sign(key, deviceText(nonce, name))
}

/** Whether a device's proof is right. */
export function isDeviceProof(key: ProofKey, proof: string, nonce: string, name: string): Promise<boolean> {
  return verify(key, proof, deviceText(nonce, name))
}

/** What the bus answers. */
export function busProof(key: ProofKey, nonce: string): Promise<string> {
  return sign(key, busText(nonce))
}

/** Whether the bus's proof is right. */
export function isBusProof(key: ProofKey, proof: string, nonce: string): Promise<boolean> {
  return verify(key, proof, busText(nonce))
}

/** A nonce has no line end in it, so no other name and nonce make the same text. */
function deviceText(nonce: string, name: string): string {
  return `device\n${nonce}\n${name}`
}

function busText(nonce: string): string {
  return `bus\n${nonce}`
}

async function sign(key: ProofKey, text: string): Promise<string> {
  const bytes = new Uint8Array(await crypto.subtle.sign('HMAC', key, encoder.encode(text)))
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}

/** In constant time. */
function verify(key: ProofKey, proof: string, text: string): Promise<boolean> {
  if (!/^[0-9a-f]{64}$/.test(proof)) return Promise.resolve(false)
  const bytes = Uint8Array.from(proof.match(/../g)!, (hex) => parseInt(hex, 16))
  return crypto.subtle.verify('HMAC', key, bytes, encoder.encode(text))
}
