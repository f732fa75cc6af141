import type { ServerResponse } from 'node:http'
import { ProtocolError } from '../../../shared/errors.ts'
import type { Bus } from '../../bus/bus.ts'
import { SESSION_LIFETIME } from '../../bus/sessions.ts'
import type { Control, Operator } from '../../control/control.ts'
import type { Authentication } from '../authenticate.ts'
import { bodyText, readBody } from '../body.ts'
import { bare, failedCall, json, Refusal, type Exchange, type Reply } from '../exchange.ts'
import { isFromPage } from '../guard.ts'
import { endCookie, sessionOf, startCookie } from '../sessions.ts'

export interface ControlRoutesOptions {
  readonly bus: Bus
  readonly control: Control
  readonly authentication: Authentication
}

/** Bytes: bulk actions name many intents. */
const MAX_CONTROL_BODY = 1_048_576
/** Milliseconds: proxies and browsers give up on a stream that says nothing for long. */
const HEARTBEAT_MS = 15_000
/** Bytes that a slow browser may lag behind before it misses frames. */
const MAX_LAG = 1_048_576
const MAX_STREAMS = 64

/** A page that follows events. */
interface Stream {
  readonly res: ServerResponse
  /** Whether the session or the credentials that opened it count no more. */
  isOver(): boolean
}

/** The control contract over HTTP: a POST for each method, a stream for events, and a session for browsers. */
export function controlRoutes({ bus, control, authentication }: ControlRoutesOptions) {
  const streams = new Set<Stream>()

  /**
   * Who asks; undefined for a stranger. A browser adds a password that it remembers to requests by itself, so of a page
   * only a session counts: else whoever sits there would need no password to see a secret.
   */
  async function findOperator(ctx: Exchange): Promise<Operator | undefined> {
    const session = sessionOf(ctx, bus)
    if (session !== undefined) {
      return { via: 'browser', sessionId: session.id, isPassword: (password) => authentication.isPassword(ctx, password) }
    }
    return !isFromPage(ctx) && (await authentication.isOperator(ctx)) ? { via: 'credentials' } : undefined
  }

  /** Throws a 401 without the challenge that would make a browser open its own box. */
  async function operatorOf(ctx: Exchange): Promise<Operator> {
    const operator = await findOperator(ctx)
    if (operator === undefined) throw new ProtocolError('unauthorized', 'Log in first: there is no session, or it is over.')
    return operator
  }

  function endStreamsThatAreOver(): void {
    for (const stream of streams) {
      if (stream.isOver()) stream.res.end()
    }
  }

  return {
    login: async (ctx: Exchange): Promise<Reply> => {
      const password = readPassword(bodyText(await readBody(ctx.req)))
      if (!(await authentication.isPassword(ctx, password))) throw new ProtocolError('unauthorized', 'Wrong password.')
      const { secret, id } = await bus.sessions.open(ctx.state.address, String(ctx.req.headers['user-agent'] ?? '').slice(0, 256))
      // While it was written a new password may have ended all sessions but this one.
      if (!(await authentication.isPassword(ctx, password))) {
        await bus.sessions.end(id)
        throw new ProtocolError('unauthorized', 'Wrong password.')
      }
      return bare(204, startCookie(ctx, secret, SESSION_LIFETIME))
    },

    /** Whether calls would be let in, as an answer and not as a refusal. */
    session: async (ctx: Exchange): Promise<Reply> => {
      const isOpen = (await findOperator(ctx)) !== undefined
      return json(200, JSON.stringify({ value: { isOpen } }))
    },

    logout: async (ctx: Exchange): Promise<Reply> => {
      const session = sessionOf(ctx, bus)
      if (session !== undefined) await bus.sessions.end(session.id)
      endStreamsThatAreOver()
      return bare(204, endCookie(ctx))
    },

    call: async (ctx: Exchange, method: string): Promise<Reply> => {
      const gone = new AbortController()
      ctx.res.once('close', () => gone.abort())
      const operator = await operatorOf(ctx)
      // Bulk actions may take minutes: the connection is not idle meanwhile.
      ctx.req.setTimeout(0)
      const text = bodyText(await readBody(ctx.req, MAX_CONTROL_BODY))
      const envelope = await control.call(operator, method, parse(text), gone.signal)
      endStreamsThatAreOver()
      if (envelope.ok) return json(200, JSON.stringify({ value: envelope.value }))
      return failedCall(envelope.error)
    },

    events: async (ctx: Exchange): Promise<Reply> => {
      const { via } = await operatorOf(ctx)
      if (streams.size >= MAX_STREAMS) {
        throw new Refusal(new ProtocolError('limit_exceeded', `At most ${MAX_STREAMS} pages can follow events at a time.`, 5), [])
      }
      const isOver = (): boolean => (via === 'browser' ? sessionOf(ctx, bus) === undefined : !authentication.isStillOperator(ctx))
      const stream = (res: ServerResponse): void => {
        const entry = { res, isOver }
        streams.add(entry)
        follow(entry, ctx.req.headers['last-event-id'] !== undefined)
        res.on('close', () => streams.delete(entry))
      }
      return { status: 200, body: '', type: 'text/event-stream', headers: ['X-Accel-Buffering', 'no'], stream }
    }
  }

  /** `isAgain`: the page followed before; frames between then and now went to nobody, and nobody counted them. */
  function follow({ res, isOver }: Stream, isAgain: boolean): void {
    let missed = isAgain ? 1 : 0
    const stop = control.listen(
      (frame) => {
        // Sessions also end by the desktop app, or by themselves.
        if (isOver()) {
          res.end()
          return
        }
        // What a slow browser cannot take it asks for again once it can.
        if (res.writableLength > MAX_LAG) {
          missed += frame.missed + frame.changes.length + 1
          return
        }
        const sent = missed > 0 ? { ...frame, missed: frame.missed + missed } : frame
        missed = 0
        res.write(`id: ${frame.seq}\ndata: ${JSON.stringify(sent)}\n\n`)
      },
      () => res.end()
    )
    const heartbeat = setInterval(() => {
      if (isOver()) res.end()
      else res.write(': still here\n\n')
    }, HEARTBEAT_MS)
    res.on('close', () => {
      clearInterval(heartbeat)
      stop()
    })
    res.on('error', () => res.destroy())
  }
}

function parse(text: string): unknown {
  if (text === '') return {}
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new ProtocolError('invalid_json', `The request body is not valid JSON: ${(error as Error).message}.`)
  }
}

function readPassword(text: string): string {
  const password = (parse(text) as { password?: unknown } | null)?.password
  if (typeof password === 'string') return password
  throw new ProtocolError('invalid_request', 'The login needs a JSON body with a password.')
}
