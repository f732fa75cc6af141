import { createHash, type X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import { connect } from 'node:tls'

/** Milliseconds that a handshake may take. */
const PATIENCE_MS = 10_000

/** What a TLS server shows of itself. */
export interface Peer {
  readonly certificate: X509Certificate
  /** Of its public key, as curl's --pinnedpubkey has it. */
  readonly pin: string
  /** Why it is not trusted: a code of TLS's; null where it is, by the authorities that were given. */
  readonly distrust: string | null
}

/** Looks at what answers at an address with https, and trusts nobody by it. `ca`: in place of the system's authorities. */
export function lookAt(url: string, ca: string | undefined, signal: AbortSignal): Promise<Peer> {
  const { hostname, port } = new URL(url)
  const host = hostname.replace(/^\[|\]$/g, '')
  return new Promise((resolve, reject) => {
    const socket = connect({
      host,
      port: Number(port || 443),
      ...(isIP(host) === 0 && { servername: host }),
      ...(ca !== undefined && { ca }),
      rejectUnauthorized: false
    })
    const give = (error: Error): void => void socket.destroy(error)
    const onAbort = (): void => give(signal.reason as Error)
    signal.addEventListener('abort', onAbort, { once: true })
    if (signal.aborted) onAbort()
    socket.setTimeout(PATIENCE_MS, () => give(new Error('the TLS handshake takes too long')))
    socket.on('error', reject)
    socket.on('close', () => {
      signal.removeEventListener('abort', onAbort)
      reject(new Error('the connection was closed in the handshake'))
    })
    socket.on('secureConnect', () => {
      const certificate = socket.getPeerX509Certificate()!
      const key = certificate.publicKey.export({ type: 'spki', format: 'der' })
      const pin = `sha256//${createHash('sha256').update(key).digest('base64')}`
      // Whatever the types say, it is a code.
      resolve({ certificate, pin, distrust: socket.authorized ? null : String(socket.authorizationError) })
      socket.destroy()
    })
  })
}
