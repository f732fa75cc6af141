/** Bytes as hex digits, unguessable. Unlike the rest of `crypto`, this is there in insecure contexts, too. */
export function randomHex(bytes: number): string {
  const drawn = crypto.getRandomValues(new Uint8Array(bytes))
  return Array.from(drawn, (byte) => byte.toString(16).padStart(2, '0')).join('')
}
