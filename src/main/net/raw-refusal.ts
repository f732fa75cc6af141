import { STATUS_CODES } from 'node:http'
import { errorBody, ProtocolError, type ErrorCode } from '../../shared/errors.ts'
import { PROTOCOL_VERSION } from '../../shared/limits.ts'

/** Headers of every answer (SPEC 10): names and values in turn. */
export const SPEC_HEADERS = [
  'X-Frame-Options',
  'DENY',
  'X-Content-Type-Options',
  'nosniff',
  'Referrer-Policy',
  'no-referrer',
  'Cache-Control',
  'no-store',
  'X-Intent-Version',
  PROTOCOL_VERSION
] as const

/** A whole response as bytes, for what the HTTP parser refuses before there is a request. */
export function rawRefusal(code: ErrorCode, message: string): string {
  const error = new ProtocolError(code, message)
  const body = errorBody(code, message)
  const lines = [`HTTP/1.1 ${error.status} ${STATUS_CODES[error.status]}`]
  for (let i = 0; i < SPEC_HEADERS.length; i += 2) lines.push(`${SPEC_HEADERS[i]}: ${SPEC_HEADERS[i + 1]}`)
  lines.push('Content-Type: application/json', `Content-Length: ${Buffer.byteLength(body)}`, 'Connection: close')
  return `${lines.join('\r\n')}\r\n\r\n${body}`
}
