import { isUtf8 } from 'node:buffer'
import type { IncomingMessage } from 'node:http'
import { ProtocolError } from '../../shared/errors.ts'
import { MAX_BODY_BYTES } from '../../shared/limits.ts'
import { ClientGoneError, Refusal } from './exchange.ts'

const EMPTY = Buffer.alloc(0)

/** The rest of a refused body up to this size is read and dropped, so that the connection can go on. */
const MAX_DROPPED_BYTES = 1_048_576

/** The exact bytes of a request's body. Throws 413 over `limit` bytes, by default SPEC 15's, and 415 for an encoded body. */
export function readBody(req: IncomingMessage, limit: number = MAX_BODY_BYTES): Promise<Buffer> | Buffer {
  const { headers } = req
  const declared = headers['content-length']
  const hasNoBody = declared === '0' || (declared === undefined && headers['transfer-encoding'] === undefined)
  if (hasNoBody) return EMPTY
  const encoding = headers['content-encoding']
  if (encoding !== undefined && encoding !== 'identity') {
    throw new ProtocolError('unsupported_encoding', 'Send the body without a Content-Encoding.')
  }
  if (declared !== undefined && Number(declared) > limit) throw tooLarge(Number(declared), limit)
  return collect(req, Number(declared ?? Infinity), limit)
}

/** The body as text. Throws 400 when it is not UTF-8. */
export function bodyText(body: Buffer): string {
  if (body.length === 0) return ''
  if (!isUtf8(body)) throw new ProtocolError('invalid_json', 'The request body is not valid UTF-8.')
  return body.toString('utf8')
}

/**
 * Throws 415 unless the body is said to be JSON. No form of a web page can say so, and a script of another site must ask
 * before it does.
 */
export function requireJson({ headers }: IncomingMessage): void {
  if (/^application\/json\s*(;|$)/i.test(headers['content-type'] ?? '')) return
  throw new ProtocolError('unsupported_media_type', 'Send the body as JSON, with Content-Type: application/json.')
}

/** `expected`: the declared length; a body that has it is complete before the stream says so, one turn later. */
function collect(req: IncomingMessage, expected: number, limit: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let size = 0
    const finish = (): void => resolve(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks, size))
    req.on('data', (chunk: Buffer) => {
      size += chunk.length
      if (size > limit) reject(tooLarge(Infinity, limit))
      else chunks.push(chunk)
      if (size === expected) finish()
    })
    req.on('end', finish)
    req.on('error', () => reject(new ClientGoneError('The connection broke in the middle of the request.')))
    req.on('close', () => {
      if (!req.complete) reject(new ClientGoneError('The client went away in the middle of its request.'))
    })
  })
}

function tooLarge(declared: number, limit: number): Refusal {
  const error = new ProtocolError('payload_too_large', `The request body is limited to ${limit} bytes.`)
  return new Refusal(error, declared > MAX_DROPPED_BYTES ? ['Connection', 'close'] : [])
}
