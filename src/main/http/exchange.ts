import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Context, Middleware } from 'koa'
import type { ControlFailure } from '../../shared/control/transport.ts'
import { errorBody, errorStatus, ProtocolError } from '../../shared/errors.ts'
import { REQUEST_ID_PATTERN } from '../../shared/limits.ts'
import { parseQuery, type QueryPairs } from '../../shared/signing.ts'
import type { Random } from '../bus/random.ts'
import type { Log } from '../log.ts'
import type { Credentials, Visit, VisitRefusal, Visitors } from '../net/http-server.ts'
import { SPEC_HEADERS } from '../net/raw-refusal.ts'

/** What a handler answers with. `headers` is a flat list of names and values. */
export interface Reply {
  readonly status: number
  readonly body: string | Buffer
  readonly type: string
  readonly headers: readonly string[]
  /** Takes over after the headers of an answer that goes on; then `body` does not count. */
  readonly stream?: (res: ServerResponse) => void
  /** Why this is a refusal, where it was not thrown as one. */
  readonly refused?: VisitRefusal
  /** Called when the answer never left, because its client was gone. */
  readonly onUndelivered?: () => void
}

/** What the layers of the server know about a request that is under way. */
export interface State {
  readonly requestId: string
  /** The path as sent, and what follows the `?`. */
  readonly path: string
  readonly query: string
  /** Where the request came from: the peer's address, or the one that a trusted proxy tells. */
  address: string
  isLoopback: boolean
  isSecure: boolean
  /** Public id of the key, once it is known. */
  keyId?: string
  /** What the key's owner or the paired browser is called, once it is known. */
  callerName?: string
  reply?: Reply
  pairs?: QueryPairs
  /** Headers that go with whatever is answered. */
  readonly extraHeaders: string[]
}

/** The parameters of the query; parsed once, for the signature and for the endpoint. */
export function queryPairs(state: State): QueryPairs {
  state.pairs ??= parseQuery(state.query)
  return state.pairs
}

/** The value of a parameter of the query; of a repeated one the first. */
export function query(state: State, name: string): string | undefined {
  return queryPairs(state).find(([other]) => other === name)?.[1]
}

export type Exchange = Context & { readonly state: State }
export type Handler = (ctx: Exchange) => Reply | Promise<Reply>

const MAX_LOGGED_PATH = 256

const NO_HEADERS: readonly string[] = []

/** Under it the control contract is carried over HTTP. */
export const CONTROL_PATH = '/admin/control/'
const LOGIN_PATH = `${CONTROL_PATH}login`

export function json(status: number, body: string, headers: readonly string[] = NO_HEADERS): Reply {
  return { status, body, type: 'application/json', headers }
}

export function text(status: number, body: string, headers: readonly string[] = NO_HEADERS): Reply {
  return { status, body, type: 'text/plain; charset=utf-8', headers }
}

export function html(status: number, body: string, headers: readonly string[] = NO_HEADERS): Reply {
  return { status, body, type: 'text/html; charset=utf-8', headers }
}

/** A JSON object of `fields`, and behind them a member whose value is JSON text already. */
export function splice(fields: object, name: string, valueText: string): string {
  return `${JSON.stringify(fields).slice(0, -1)},"${name}":${valueText}}`
}

/** A reply without a body: 204, 303. */
export function bare(status: number, headers: readonly string[] = NO_HEADERS): Reply {
  return { status, body: '', type: '', headers }
}

/** A refusal, in the shape of SPEC 11. */
export function refusal(error: ProtocolError, headers: readonly string[] = NO_HEADERS): Reply {
  const retry = error.retryAfter === undefined ? NO_HEADERS : ['Retry-After', String(error.retryAfter)]
  return json(error.status, errorBody(error.code, error.message), [...headers, ...retry])
}

/** Seconds after which a call that was refused for this may go well. */
const RETRY_CALL_AFTER: Readonly<Record<string, number>> = { database_busy: 1, limit_exceeded: 1, rate_limited: 60 }

/** A call of the control contract that was refused, in the shape of SPEC 11 with the field that is at fault. */
export function failedCall(error: ControlFailure): Reply {
  const seconds = RETRY_CALL_AFTER[error.code]
  const retry = seconds === undefined ? NO_HEADERS : ['Retry-After', String(seconds)]
  return { ...json(errorStatus(error.code), JSON.stringify({ error }), retry), refused: error }
}

/** Thrown to refuse with more headers than the error itself calls for. */
export class Refusal extends Error {
  readonly error: ProtocolError
  readonly reply: Reply

  constructor(error: ProtocolError, headers: readonly string[]) {
    super(error.message)
    this.error = error
    this.reply = refusal(error, headers)
  }
}

/** The client went away; there is nobody to answer. */
export class ClientGoneError extends Error {
  override readonly name = 'ClientGoneError'
}

export interface ExchangeOptions {
  readonly log: Log
  readonly random: Random
  /** True once the listener of a request takes no new ones: connections are closed after their answer. */
  readonly isClosing: (req: IncomingMessage) => boolean
  /** Who is told of a request that came from another machine. */
  readonly visitorsOf: (req: IncomingMessage) => Visitors | undefined
}

/** The outermost layer: gives every request an id, turns whatever happens into one reply, and logs it. */
export function exchange({ log, random, isClosing, visitorsOf }: ExchangeOptions): Middleware<State> {
  return async (context, next) => {
    const ctx = context as unknown as Exchange
    // Koa's own reply would set each header by itself; all of them at once cost a third of that.
    ctx.respond = false
    const startedAt = performance.now()
    const state = begin(ctx.req, random)
    ctx.state = state
    let reply: Reply
    let refused: VisitRefusal | undefined
    try {
      await next()
      reply = state.reply ?? refusal(new ProtocolError('not_found', 'There is nothing at this address.'))
      refused = reply.refused
    } catch (error) {
      if (error instanceof ClientGoneError) return
      reply = toReply(error)
      refused = refusedBy(error)
      if (reply.status === 500) log.error({ request: state.requestId, err: error }, 'request failed')
    }
    write(ctx, reply, isClosing(ctx.req))
    if (!state.isLoopback) visitorsOf(ctx.req)?.answered(visit(ctx, refused))
    logRequest(log, ctx, reply, startedAt)
  }
}

/** What those are told who count visitors. */
export function visit({ req, state }: Exchange, refused: VisitRefusal | undefined): Visit {
  const { address, keyId, callerName } = state
  return { address, agent: req.headers['user-agent'], keyId, name: callerName, credentials: credentialsOf(req), refused }
}

/** What a request presents to be let in. */
function credentialsOf({ url, headers }: IncomingMessage): Credentials {
  if (headers['x-api-key'] !== undefined) return 'key'
  const isOperators = headers.authorization !== undefined || headers['x-admin-token'] !== undefined || url === LOGIN_PATH
  return isOperators ? 'password' : 'none'
}

function begin(req: IncomingMessage, random: Random): State {
  const given = req.headers['x-request-id']
  const isUsable = typeof given === 'string' && REQUEST_ID_PATTERN.test(given)
  const url = req.url!
  const mark = url.indexOf('?')
  return {
    requestId: isUsable ? given : random.hex(8),
    path: mark < 0 ? url : url.slice(0, mark),
    query: mark < 0 ? '' : url.slice(mark + 1),
    address: '',
    isLoopback: false,
    isSecure: false,
    extraHeaders: []
  }
}

function toReply(error: unknown): Reply {
  if (error instanceof ProtocolError) return refusal(error)
  if (error instanceof Refusal) return error.reply
  return refusal(new ProtocolError('internal_error', 'Something went wrong inside the bus; its log says more.'))
}

function refusedBy(error: unknown): ProtocolError | undefined {
  if (error instanceof Refusal) return error.error
  return error instanceof ProtocolError ? error : undefined
}

function write({ res, state }: Exchange, reply: Reply, isLast: boolean): void {
  const { status, body, type, headers, stream, onUndelivered } = reply
  if (res.headersSent || res.destroyed) return onUndelivered?.()
  if (onUndelivered !== undefined) res.once('close', () => res.writableFinished || onUndelivered())
  const all: string[] = [...SPEC_HEADERS, 'X-Request-ID', state.requestId, ...headers, ...state.extraHeaders]
  if (status !== 204 && stream === undefined) all.push('Content-Length', String(Buffer.byteLength(body)))
  if (type !== '') all.push('Content-Type', type)
  // What streams ends with its connection: else an idle one would be left when the bus stops.
  if (isLast || stream !== undefined) all.push('Connection', 'close')
  res.writeHead(status, all)
  if (stream === undefined || res.req.method === 'HEAD') res.end(body)
  else stream(res)
}

/** The path is logged without its query: a query may name a publisher by its key. */
function logRequest(log: Log, { req, state }: Exchange, { status }: Reply, startedAt: number): void {
  const level = status >= 500 ? 'warn' : status >= 400 ? 'info' : 'debug'
  if (!log.isLevelEnabled(level)) return
  log[level](
    {
      request: state.requestId,
      method: req.method,
      path: state.path.slice(0, MAX_LOGGED_PATH),
      status,
      ms: Math.round((performance.now() - startedAt) * 100) / 100,
      address: state.address,
      key: state.keyId
    },
    'request'
  )
}
