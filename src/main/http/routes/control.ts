import type { ServerResponse } from 'node:http'
import { ProtocolError } from '../../../shared/errors.ts'
import type { Bus } from '../../bus/bus.ts'
import type { Key } from '../../bus/keys.ts'
import { mayOperate } from '../../bus/scopes.ts'
import { SESSION_LIFETIME } from '../../bus/sessions.ts'
import type { Control } from '../../control/control.ts'
import { actorOf, adminAt, isManager, KEY_RIGHTS, shareOf, withoutRight, type Operator } from '../../control/operator.ts'
import type { Authentication } from '../authenticate.ts'
import { bodyText, readBody, requireJson } from '../body.ts'
import { bare, ClientGoneError, failedCall, json, type Exchange, type Reply } from '../exchange.ts'
import { isFromPage } from '../guard.ts'
import { endCookie, halvesOf, sessionOf, startCookie } from '../sessions.ts'

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
/** Pages that follow events: of one session or key, of all, and of all some that only those get who may manage. */
const MAX_STREAMS_OF_ONE = 8
const MAX_STREAMS = 64
const STREAMS_FOR_MANAGERS = 16

/** An operator who has come so far, with the key where it is by one: its signature covers the body, which comes later. */
interface Arrived {
  readonly operator: Operator
  readonly key?: Key
}

/** A page that follows events. */
interface Stream {
  readonly res: ServerResponse
  readonly operator: Operator
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
    const { address } = ctx.state
    const session = sessionOf(ctx, bus)
    if (session !== undefined) {
      const { id, name, rights } = session
      if (name !== null) ctx.state.callerName = name
      const isPassword = (password: string): Promise<boolean> => authentication.isPassword(ctx, password)
      return { via: 'browser', rights, address, sessionId: id, name, isPassword }
    }
    return !isFromPage(ctx) && (await authentication.isOperator(ctx)) ? adminAt(address) : undefined
  }

  /** Throws a 401 without the challenge that would make a browser open its own box, and 403 for a key that may not. */
  async function arrive(ctx: Exchange): Promise<Arrived> {
    const operator = await findOperator(ctx)
    if (operator !== undefined) return { operator }
    if (isFromPage(ctx) || ctx.req.headers['x-api-key'] === undefined) {
      throw notLoggedIn()
    }
    const key = await authentication.key(ctx)
    if (!mayOperate(key)) throw new ProtocolError('forbidden', 'This API key may not operate the bus.')
    return { operator: { via: 'key', rights: KEY_RIGHTS, address: ctx.state.address, keyId: key.id }, key }
  }

  /** A body may take its time: whoever sent it must still be let in, and have signed it where signatures are asked for. */
  function checkSender(ctx: Exchange, { operator, key }: Arrived, body: Buffer): void {
    if (!isStillLetIn(ctx, operator)) throw notLoggedIn()
    if (key !== undefined) bus.spendNonce(authentication.caller(ctx, key, body))
  }

  function endStreamsThatAreOver(): void {
    for (const stream of streams) {
      if (stream.isOver()) stream.res.end()
    }
  }

  bus.onAccess(endStreamsThatAreOver)

  /** Throws 429 where one more stream of this operator would be too many. */
  function checkRoom(operator: Operator): void {
    const isLimited = operator.via === 'browser' || operator.via === 'key'
    const share = shareOf(operator)
    const own = [...streams].filter((stream) => shareOf(stream.operator) === share).length
    const others = [...streams].filter((stream) => !isManager(stream.operator)).length
    const isTooMany = streams.size >= MAX_STREAMS || (!isManager(operator) && others >= MAX_STREAMS - STREAMS_FOR_MANAGERS)
    if (isLimited && own >= MAX_STREAMS_OF_ONE) throw tooManyStreams(`One browser or key can follow events ${MAX_STREAMS_OF_ONE} times at once.`)
    if (isTooMany) throw tooManyStreams(`At most ${MAX_STREAMS} pages can follow events at a time.`)
  }

  return {
    login: async (ctx: Exchange): Promise<Reply> => {
      const password = readPassword(bodyText(await readBody(ctx.req)))
      if (!(await authentication.isPassword(ctx, password))) throw new ProtocolError('unauthorized', 'Wrong password.')
      const { address } = ctx.state
      const agent = String(ctx.req.headers['user-agent'] ?? '').slice(0, 256)
      const { secret, id } = await bus.sessions.open({ address, agent })
      // While it was written a new password may have ended all sessions but this one.
      if (!(await authentication.isPassword(ctx, password))) {
        await bus.sessions.end(id)
        throw new ProtocolError('unauthorized', 'Wrong password.')
      }
      bus.audit.note({ event: 'login', actor: 'password', address, detail: agent })
      const halves = halvesOf(secret)
      return json(200, JSON.stringify({ value: { session: halves.page } }), startCookie(ctx, halves, SESSION_LIFETIME))
    },

    /** Whether calls would be let in, as an answer and not as a refusal. */
    session: async (ctx: Exchange): Promise<Reply> => {
      const isOpen = (await findOperator(ctx)) !== undefined
      return json(200, JSON.stringify({ value: { isOpen } }))
    },

    logout: async (ctx: Exchange): Promise<Reply> => {
      const operator = await findOperator(ctx)
      if (operator?.via === 'browser') {
        await bus.sessions.end(operator.sessionId)
        bus.audit.note({ event: 'logout', actor: actorOf(operator), address: operator.address })
      }
      return bare(204, endCookie(ctx))
    },

    call: async (ctx: Exchange, method: string): Promise<Reply> => {
      const gone = new AbortController()
      ctx.res.once('close', () => gone.abort())
      const arrived = await arrive(ctx)
      // Bulk actions may take minutes: the connection is not idle meanwhile.
      ctx.req.setTimeout(0)
      const { operator } = arrived
      if (operator.via === 'browser') requireJson(ctx.req)
      const body = await readBody(ctx.req, MAX_CONTROL_BODY)
      checkSender(ctx, arrived, body)
      const envelope = await control.call(operator, method, parse(bodyText(body)), gone.signal)
      // A new password ends what the old one opened.
      endStreamsThatAreOver()
      if (envelope.ok) return json(200, JSON.stringify({ value: envelope.value }))
      return failedCall(envelope.error)
    },

    events: async (ctx: Exchange): Promise<Reply> => {
      const arrived = await arrive(ctx)
      const { operator } = arrived
      checkSender(ctx, arrived, await readBody(ctx.req))
      if (!operator.rights.includes('watch')) throw new ProtocolError('forbidden', withoutRight(operator, 'watch'))
      // Nothing would tell that it is over.
      if (ctx.res.destroyed) throw new ClientGoneError('The client went away before its events began.')
      checkRoom(operator)
      const entry = { res: ctx.res, operator, isOver: () => !isStillLetIn(ctx, operator) }
      // From here on, or many that come at once would all find room.
      streams.add(entry)
      ctx.res.once('close', () => streams.delete(entry))
      const stream = (): void => follow(entry, ctx.req.headers['last-event-id'] !== undefined)
      return { status: 200, body: '', type: 'text/event-stream', headers: ['X-Accel-Buffering', 'no'], stream }
    }
  }

  /** Whether whoever opened a stream would still be let in. */
  function isStillLetIn(ctx: Exchange, operator: Operator): boolean {
    if (operator.via === 'browser') return sessionOf(ctx, bus) !== undefined
    if (operator.via !== 'key') return authentication.isStillOperator(ctx)
    const key = bus.liveKey(operator.keyId)
    return key !== undefined && mayOperate(key)
  }

  /** `isAgain`: the page followed before; frames between then and now went to nobody, and nobody counted them. */
  function follow({ res, operator, isOver }: Stream, isAgain: boolean): void {
    let missed = isAgain ? 1 : 0
    const stop = control.listen(
      operator,
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

function tooManyStreams(message: string): ProtocolError {
  return new ProtocolError('limit_exceeded', message, 5)
}

function notLoggedIn(): ProtocolError {
  return new ProtocolError('unauthorized', 'Log in first: there is no session, or it is over.')
}

function parse(text: string): unknown {
  if (text === '') return {}
  try {
    return JSON.parse(text)
  } catch {
    // What the parser says quotes the body, and with it a password.
    throw new ProtocolError('invalid_json', 'The request body is not valid JSON.')
  }
}

function readPassword(text: string): string {
  const password = (parse(text) as { password?: unknown } | null)?.password
  if (typeof password === 'string') return password
  throw new ProtocolError('invalid_request', 'The login needs a JSON body with a password.')
}
