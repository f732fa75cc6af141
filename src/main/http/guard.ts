import type { IncomingMessage } from 'node:http'
import type { Middleware } from 'koa'
import { ProtocolError } from '../../shared/errors.ts'
import { forwardedAddress, isLoopback, plainAddress } from '../net/addresses.ts'
import { bare, CONTROL_PATH, type Exchange, type State } from './exchange.ts'
import type { HostNames } from './hosts.ts'

export interface GuardOptions {
  readonly hosts: HostNames
  /** Exact origins that may call the client endpoints from a browser. */
  readonly allowedOrigins: ReadonlySet<string>
  readonly trustProxy: boolean
  /** Whether a request came to a listener for the machines of the network: no proxy of the user's stands before it. */
  readonly isShared: (req: IncomingMessage) => boolean
  readonly enforceHttps: boolean
  readonly maintenanceMode: () => boolean
}

const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS'])

/** What a page of an allowed origin may send and see. */
const CORS_REQUEST_HEADERS =
  'Content-Type, Idempotency-Key, Last-Event-ID, traceparent, X-API-KEY, X-Nonce, X-Request-ID, X-Signature, X-Timestamp, X-Worker-Capabilities, X-Worker-Capability, X-Worker-ID'
const CORS_RESPONSE_HEADERS = 'Retry-After, X-Intent-Version, X-Intent-Wait, X-Request-ID'

/** Refuses requests that no endpoint should see: wrong host, wrong scheme, other sites, maintenance. */
export function guard(options: GuardOptions): Middleware<State> {
  return (context, next) => {
    const ctx = context as unknown as Exchange
    findOut(ctx, options.trustProxy && !options.isShared(ctx.req))
    checkTarget(ctx)
    checkHost(ctx, options.hosts)
    checkScheme(ctx, options.enforceHttps)
    if (isPreflight(ctx, options.allowedOrigins)) return Promise.resolve()
    checkSite(ctx, options.allowedOrigins)
    checkNavigation(ctx)
    checkMaintenance(ctx, options.maintenanceMode)
    return next()
  }
}

/** Whether a person's browser is opening a page, as opposed to a program asking. */
export function isNavigation({ req }: Exchange): boolean {
  const mode = req.headers['sec-fetch-mode']
  if (mode !== undefined) return mode === 'navigate'
  return req.headers.accept?.includes('text/html') ?? false
}

/** Whether a page asks, as opposed to a program; a page's GET over plain HTTP may not tell. */
export function isFromPage({ req }: Exchange): boolean {
  return req.headers['sec-fetch-site'] !== undefined || req.headers.origin !== undefined
}

/**
 * A target is read by more than one parser: what they could take for different paths is refused, so that what was looked at
 * here is what is carried out.
 */
function checkTarget({ req, state }: Exchange): void {
  if (!state.path.startsWith('/')) throw new ProtocolError('invalid_path', 'The request target must be a path.')
  if (/[^!-~]|[#\\]/.test(req.url!)) {
    throw new ProtocolError('invalid_path', 'Percent-encode spaces, #, \\ and all that is not ASCII in the request target.')
  }
  if (!state.path.includes('%')) return
  try {
    decodeURIComponent(state.path)
  } catch {
    throw new ProtocolError('invalid_path', 'The path is not properly percent-encoded UTF-8.')
  }
}

function checkHost({ req }: Exchange, hosts: HostNames): void {
  const { host } = req.headers
  if (host !== undefined && hosts.isOwn(host) && countHosts(req.rawHeaders) === 1) return
  throw new ProtocolError(
    'invalid_host',
    'This Host is not one of the names of this bus; names can be added with BUS_ALLOWED_HOSTS.'
  )
}

/** Of repeated Host headers node shows only the first. */
function countHosts(rawHeaders: readonly string[]): number {
  let count = 0
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]!
    if (name.length === 4 && name.toLowerCase() === 'host') count++
  }
  return count
}

/** Client address and scheme; behind a trusted proxy they are what the proxy says, in the last entry of each header. */
function findOut({ req, state }: Exchange, trustProxy: boolean): void {
  let address = plainAddress(req.socket.remoteAddress ?? '')
  let isSecure = 'encrypted' in req.socket
  if (trustProxy) {
    address = forwardedAddress(lastEntry(req.headers['x-forwarded-for']) ?? '') ?? address
    isSecure ||= lastEntry(req.headers['x-forwarded-proto']) === 'https'
  }
  state.address = address
  state.isLoopback = isLoopback(address)
  state.isSecure = isSecure
}

function lastEntry(header: string | string[] | undefined): string | undefined {
  return String(header ?? '')
    .split(',')
    .at(-1)!
    .trim() || undefined
}

/** What operators do, and codes that let devices in, never goes over a network in clear. */
function checkScheme({ state }: Exchange, enforceHttps: boolean): void {
  if (state.isSecure || state.isLoopback) return
  if (isOperators(state.path)) {
    throw new ProtocolError('https_required', 'From another machine the bus is operated and paired with over HTTPS only.')
  }
  if (!enforceHttps || state.path === '/' || state.path === '/health') return
  throw new ProtocolError('https_required', 'This bus takes requests over HTTPS only.')
}

/**
 * A browser says where a request comes from: by Sec-Fetch-Site on addresses that it trusts (HTTPS, loopback), by Origin with
 * every POST, and older ones by Referer alone. To a browser every port of localhost is the same site, so only the same
 * origin passes; a page that hides its origin sends `null`. Programs that are not browsers send none of these and pass.
 */
function checkSite({ req, state }: Exchange, allowedOrigins: ReadonlySet<string>): void {
  const { origin } = req.headers
  const isAllowedOrigin = origin !== undefined && allowedOrigins.has(origin) && isOpenToOrigins(state.path)
  if (isAllowedOrigin) {
    state.extraHeaders.push('Access-Control-Allow-Origin', origin, 'Vary', 'Origin')
    state.extraHeaders.push('Access-Control-Expose-Headers', CORS_RESPONSE_HEADERS)
  }
  // The interface's own calls answer with what an operator may see, so even reading takes the same origin.
  const isSafe = SAFE_METHODS.has(req.method!) && !state.path.startsWith(CONTROL_PATH)
  if (isSafe || isAllowedOrigin) return
  const { host, referer } = req.headers
  const site = req.headers['sec-fetch-site']
  const named = origin ?? (referer === undefined ? undefined : originOf(referer))
  const isOwn =
    site === undefined
      ? named === undefined || isOwnOrigin(named, host!, state.isSecure)
      : site === 'same-origin' || site === 'none'
  if (!isOwn) throw new ProtocolError('cross_site', 'Requests from other web sites are refused.')
}

/**
 * A browser adds credentials that it remembers to whatever another site's form sends. One that says nothing of where the
 * form was is told by the page that it expects in return. No address of ours changes anything by a GET.
 */
function checkNavigation({ req, state }: Exchange): void {
  const { accept, origin, referer } = req.headers
  if (!accept?.includes('text/html') || SAFE_METHODS.has(req.method!) || !isOperators(state.path)) return
  const isSilent = origin === undefined && referer === undefined && req.headers['sec-fetch-site'] === undefined
  if (isSilent) throw new ProtocolError('cross_site', 'Forms of web pages are refused here.')
}

function originOf(referer: string): string {
  return URL.canParse(referer) ? new URL(referer).origin : 'null'
}

function isOwnOrigin(origin: string, host: string, isSecure: boolean): boolean {
  return origin.toLowerCase() === `${isSecure ? 'https' : 'http'}://${host.toLowerCase()}`
}

function isPreflight({ req, state }: Exchange, allowedOrigins: ReadonlySet<string>): boolean {
  const { origin } = req.headers
  const isAsked = req.method === 'OPTIONS' && req.headers['access-control-request-method'] !== undefined
  if (!isAsked || origin === undefined || !allowedOrigins.has(origin) || !isOpenToOrigins(state.path)) return false
  const headers = [
    ['Access-Control-Allow-Origin', origin],
    ['Access-Control-Allow-Methods', 'GET, POST'],
    ['Access-Control-Allow-Headers', CORS_REQUEST_HEADERS],
    ['Access-Control-Max-Age', '600'],
    ['Vary', 'Origin']
  ]
  if (req.headers['access-control-request-private-network'] === 'true') {
    headers.push(['Access-Control-Allow-Private-Network', 'true'])
  }
  state.reply = bare(204, headers.flat())
  return true
}

/** Other origins never get to what operators do. */
function isOpenToOrigins(path: string): boolean {
  return !isOperators(path)
}

function checkMaintenance(ctx: Exchange, maintenanceMode: () => boolean): void {
  if (!maintenanceMode() || isOperators(ctx.state.path)) return
  // A person who opens the bus in a browser is led to the interface, which is not closed.
  if (ctx.state.path === '/' && isNavigation(ctx)) return
  throw new ProtocolError('maintenance', 'The bus is in maintenance mode; try again later.', 60)
}

/** Pairing belongs to operators: what it gives out is as good as what they have. */
function isOperators(path: string): boolean {
  return path === '/metrics' || isAt(path, '/admin') || isAt(path, '/pair')
}

function isAt(path: string, root: string): boolean {
  return path.startsWith(root) && (path.length === root.length || path[root.length] === '/')
}
