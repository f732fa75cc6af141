import type { Bus } from '../bus/bus.ts'
import type { Session } from '../bus/sessions.ts'
import type { Exchange } from './exchange.ts'

/** To a browser all ports of a host share their cookies, so the port is part of the name. */
function cookieName({ req }: Exchange): string {
  return `intent_bus_${req.socket.localPort}`
}

/**
 * The session that a browser's cookie stands for, undefined when it has none or it is over. Pages on other ports of this
 * host may set cookies of the same name: one that stands for nothing must not hide the one that does.
 */
export function sessionOf(ctx: Exchange, bus: Bus): Session | undefined {
  const name = cookieName(ctx)
  for (const part of (ctx.req.headers.cookie ?? '').split(';')) {
    const equals = part.indexOf('=')
    if (part.slice(0, equals).trim() !== name) continue
    const session = bus.sessions.find(part.slice(equals + 1).trim())
    if (session !== undefined) return session
  }
  return undefined
}

/** Headers that hand a browser its session; SameSite keeps other sites from using it, HttpOnly scripts from reading it. */
export function startCookie(ctx: Exchange, secret: string, maxAge: number): readonly string[] {
  return ['Set-Cookie', `${cookieName(ctx)}=${secret}; Max-Age=${maxAge}; ${attributes(ctx)}`]
}

export function endCookie(ctx: Exchange): readonly string[] {
  return ['Set-Cookie', `${cookieName(ctx)}=; Max-Age=0; ${attributes(ctx)}`]
}

function attributes({ state }: Exchange): string {
  return `Path=/admin; HttpOnly; SameSite=Strict${state.isSecure ? '; Secure' : ''}`
}
