import type { IncomingMessage } from 'node:http'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Bus, Wait } from '../../bus/bus.ts'
import type { Caller } from '../../bus/caller.ts'
import type { Claimed } from '../../bus/intents/claimed.ts'
import type { IntentStatus } from '../../bus/intents/intent.ts'
import { SERVER_API_VERSION } from '../../../shared/limits.ts'
import { ProtocolError } from '../../../shared/errors.ts'
import * as requests from '../../../shared/requests.ts'
import { APP_NAME, APP_VERSION } from '../../app-info.ts'
import type { Clock } from '../../bus/clock.ts'
import type { Authentication } from '../authenticate.ts'
import { bodyText, readBody } from '../body.ts'
import { bare, json, queryPairs, splice, text, type Exchange, type Handler, type Reply } from '../exchange.ts'
import { isNavigation } from '../guard.ts'
import { followEvents } from './events.ts'

export interface ClientRoutesOptions {
  readonly bus: Bus
  readonly clock: Clock
  readonly authentication: Authentication
  /** Lets mutations without a claim token in, from the key and address that hold the lease. */
  readonly allowTokenless: boolean
  /** True once the listener of a request takes no new ones. */
  readonly isClosing: (req: IncomingMessage) => boolean
}

type ClientHandler = (caller: Caller, body: string, ctx: Exchange, param: string) => Reply | Promise<Reply>

/** Milliseconds of silence after which the system probes whether a held request's peer is still there. */
const PROBE_AFTER_MS = 15_000

const NOTHING_TO_CLAIM = bare(204, ['Retry-After', '1'])

/** Where a person's browser finds the interface. */
export const INTERFACE_PATH = '/admin/'

/** The endpoints of SPEC 7. `param` is the decoded last part of the path, where the path has one. */
export function clientRoutes({ bus, clock, authentication, allowTokenless, isClosing }: ClientRoutesOptions) {
  /** Key, body, signature, in this order: a stranger's body is not even read. */
  function asClient(handler: ClientHandler) {
    return async (ctx: Exchange, param: string): Promise<Reply> => {
      const key = await authentication.key(ctx)
      const body = await readBody(ctx.req)
      const caller = authentication.caller(ctx, key, body)
      try {
        return await handler(caller, bodyText(body), ctx, param)
      } finally {
        // Where nothing was changed, the bus has not seen the nonce yet.
        bus.spendNonce(caller)
      }
    }
  }

  const intent = asClient(async (caller, body, ctx) => {
    const idempotencyKey = requests.readIdempotencyKey(header(ctx, 'idempotency-key'))
    const request = requests.readPublish(body, header(ctx, 'traceparent'))
    const published = await bus.publish(caller, request, idempotencyKey, body)
    return json(201, JSON.stringify(published))
  })

  const claim = asClient(async (caller, _body, ctx) => {
    const wait = readWait(ctx, caller)
    const claimed = await bus.claim(caller, readClaim(ctx, wait !== undefined), wait?.held)
    if (claimed === null) return wait === undefined ? NOTHING_TO_CLAIM : bare(204, [...NOTHING_TO_CLAIM.headers, ...wait.headers])
    // While the commit was on its way to the disk, the end of the connection may have come in.
    if (wait !== undefined) await nextTurn()
    const onUndelivered = (): void => void bus.takeBack(claimed).catch(() => {})
    return { ...json(200, claimedBody(claimed), wait?.headers), onUndelivered }
  })

  const result = asClient(async (caller, _body, ctx, id) => {
    const wait = readWait(ctx, caller)
    const status = wait?.held === undefined ? await bus.status(caller, id) : await bus.settled(caller, id, wait.held)
    return json(200, resultBody(status), wait?.headers)
  })

  const events = asClient((caller, _body, ctx) => {
    if (isClosing(ctx.req)) throw new ProtocolError('shutting_down', 'The bus is shutting down.', 1)
    return followEvents(bus, caller, header(ctx, 'last-event-id'))
  })

  /** How long a request wants to be held, and what its answer says of that; undefined where it does not ask. */
  function readWait(ctx: Exchange, caller: Caller): { held?: Wait; headers: readonly string[] } | undefined {
    const seconds = requests.readWait(query(ctx, 'wait'))
    if (seconds === undefined) return undefined
    if (seconds === 0 || isClosing(ctx.req) || !bus.canWait(caller.key)) return { headers: ['X-Intent-Wait', '0'] }
    const gone = new AbortController()
    ctx.res.once('close', () => gone.abort())
    // A peer that vanished without a word is found out while it waits.
    ctx.req.socket.setKeepAlive(true, PROBE_AFTER_MS)
    return { held: { seconds, signal: gone.signal }, headers: ['X-Intent-Wait', String(seconds)] }
  }

  const extendClaim = asClient(async (caller, body, _ctx, id) => {
    const request = requests.readExtend(body, allowTokenless)
    await bus.extend(caller, id, request)
    return json(200, JSON.stringify({ ok: true, id, extended_by: request.seconds }))
  })

  const fulfill = asClient(async (caller, body, _ctx, id) => {
    await bus.fulfill(caller, id, requests.readFulfill(body, allowTokenless))
    return json(200, JSON.stringify({ ok: true, id }))
  })

  const fail = asClient(async (caller, body, _ctx, id) => {
    await bus.fail(caller, id, requests.readFail(body, allowTokenless))
    return json(200, JSON.stringify({ ok: true, id }))
  })

  const set = asClient(async (caller, body, ctx, name) => {
    const idempotencyKey = requests.readIdempotencyKey(header(ctx, 'idempotency-key'))
    await bus.set(caller, requests.readStoreKey(name), requests.readSet(body), idempotencyKey, body)
    return json(200, '{"ok":true}')
  })

  const get = asClient((caller, _body, _ctx, name) => {
    return json(200, `{"value":${bus.get(caller, requests.readStoreKey(name))}}`)
  })

  const status = asClient(async (caller, _body, _ctx, id) => json(200, statusBody(await bus.status(caller, id))))

  /** For the key's own intents; an operator's credentials without a key read all (SPEC 7.7). */
  function asReader(body: (status: IntentStatus) => string, forClient: typeof status) {
    return async (ctx: Exchange, id: string): Promise<Reply> => {
      const isOperator = ctx.req.headers['x-api-key'] === undefined && (await authentication.isOperator(ctx))
      return isOperator ? json(200, body(await bus.status(null, id))) : forClient(ctx, id)
    }
  }

  const health: Handler = () =>
    json(
      200,
      JSON.stringify({
        ok: true,
        ts: clock.now(),
        version: SERVER_API_VERSION,
        app: { name: APP_NAME, version: APP_VERSION }
      })
    )

  const root: Handler = (ctx) =>
    isNavigation(ctx) ? bare(303, ['Location', INTERFACE_PATH]) : text(200, `Intent Bus V${SERVER_API_VERSION}`)

  return {
    root,
    health,
    intent,
    claim,
    extendClaim,
    fulfill,
    fail,
    set,
    get,
    events,
    result: asReader(resultBody, result),
    status: asReader(statusBody, status)
  }
}

/**
 * Claims take each of their parts from a header or the query (SPEC 7.3); of a repeated parameter the first counts, but a
 * claim that asks to be held may name several goals.
 */
function readClaim(ctx: Exchange, isHeld: boolean): requests.ClaimRequest {
  const goals = queryPairs(ctx.state).flatMap(([name, value]) => (name === 'goal' ? [value] : []))
  return requests.readClaim({
    goals: isHeld ? goals : goals.slice(0, 1),
    namespace: query(ctx, 'namespace'),
    publisher: query(ctx, 'publisher'),
    workerId: header(ctx, 'x-worker-id') ?? query(ctx, 'worker_id'),
    capabilities:
      header(ctx, 'x-worker-capabilities') ??
      header(ctx, 'x-worker-capability') ??
      query(ctx, 'capabilities') ??
      query(ctx, 'capability')
  })
}

function query({ state }: Exchange, name: string): string | undefined {
  return queryPairs(state).find(([other]) => other === name)?.[1]
}

function header({ req }: Exchange, name: string): string | undefined {
  const value = req.headers[name]
  return Array.isArray(value) ? value.join(', ') : value
}

/** Payloads are spliced in as the text that was published: their numbers keep every digit. */
function claimedBody({ payload, ...rest }: Claimed): string {
  return splice(rest, 'payload', payload)
}

function resultBody({ error, result, ...rest }: IntentStatus): string {
  return splice(error === null ? rest : { ...rest, error }, 'result', result ?? 'null')
}

function statusBody({ error, result: _, result_type: __, ...rest }: IntentStatus): string {
  return JSON.stringify(error === null ? rest : { ...rest, error })
}
