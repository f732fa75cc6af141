import { ProtocolError } from '../../shared/errors.ts'
import type { Exchange, Reply } from './exchange.ts'

/** Where a bus hands out the certificate of its root. */
export const ROOT_CERTIFICATE_PATH = '/intent-bus-root.pem'

/**
 * The root's certificate, which holds no secret, for whoever asks in a way that nobody can change: over HTTPS, or on this machine.
 * `pem`: undefined where the bus has none. Throws 403 and 404.
 */
export function rootCertificate({ state }: Exchange, pem: string | undefined): Reply {
  if (!state.isSecure && !state.isLoopback) {
    throw new ProtocolError('https_required', 'From another machine the root certificate is to be had over HTTPS only.')
  }
  if (pem === undefined) throw new ProtocolError('not_found', 'This bus has no certificate: it gets one when it is shared for the first time.')
  // By this type phones offer to install it.
  return { status: 200, body: pem, type: 'application/x-x509-ca-cert', headers: [] }
}
