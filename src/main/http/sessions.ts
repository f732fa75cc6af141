import type { Bus } from '../bus/bus.ts'
import type { Session } from '../bus/sessions.ts'
import { query, type Exchange } from './exchange.ts'

/**
 * A session's secret is in two halves. Scripts cannot read the cookie's, but a browser sends it to whatever server it finds
 * on another port of this host; the page keeps the other one where only pages of this very origin get at it.
 */
export interface SessionHalves {
  readonly cookie: string
  /** Comes back with every request in this header, or in the query of an EventSource, which sends no headers of its own. */
  readonly page: string
}

const HEADER = 'x-intent-session'
const PARAMETER = 'session'

/** To a browser all ports of a host share their cookies, so the port is part of the name. */
function cookieName({ req }: Exchange): string {
  return `intent_bus_${req.socket.localPort}`
}

/** What a browser is given of a session's secret. */
export function halvesOf(secret: string): SessionHalves {
  const middle = secret.length >> 1
  return { cookie: secret.slice(0, middle), page: secret.slice(middle) }
}

/**
 * The session that a browser's cookie and its page's half stand for, undefined when it has none or it is over. Pages on
 * other ports of this host may set cookies of the same name: one that stands for nothing must not hide the one that does.
 */
export function sessionOf(ctx: Exchange, bus: Bus): Session | undefined {
  const { headers } = ctx.req
  const page = headers[HEADER] ?? query(ctx.state, PARAMETER)
  if (typeof page !== 'string' || page === '') return undefined
  const name = cookieName(ctx)
  for (const part of (headers.cookie ?? '').split(';')) {
    const equals = part.indexOf('=')
    if (part.slice(0, equals).trim() !== name) continue
    const session = bus.sessions.find(part.slice(equals + 1).trim() + page)
    if (session !== undefined) return session
  }
  return undefined
}

/** Headers that hand a browser its half; SameSite keeps other sites from using it, HttpOnly scripts from reading it. */
export function startCookie(ctx: Exchange, { cookie }: SessionHalves, maxAge: number): readonly string[] {
  return ['Set-Cookie', `${cookieName(ctx)}=${cookie}; Max-Age=${maxAge}; ${attributes(ctx)}`]
}

export function endCookie(ctx: Exchange): readonly string[] {
  return ['Set-Cookie', `${cookieName(ctx)}=; Max-Age=0; ${attributes(ctx)}`]
}

function attributes({ state }: Exchange): string {
  return `Path=/admin; HttpOnly; SameSite=Strict${state.isSecure ? '; Secure' : ''}`
}
