import type { IncomingMessage } from 'node:http'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Bus } from '../../bus/bus.ts'
import type { Caller } from '../../bus/caller.ts'
import type { Claimed } from '../../bus/intents/claimed.ts'
import type { IntentStatus } from '../../bus/intents/intent.ts'
import { checkPublish, checkRead, checkSettle, checkStore, limitClaim } from '../../bus/scopes.ts'
import { SERVER_API_VERSION } from '../../../shared/limits.ts'
import { ProtocolError } from '../../../shared/errors.ts'
import * as requests from '../../../shared/requests.ts'
import { APP_NAME, APP_VERSION } from '../../app-info.ts'
import type { Clock } from '../../bus/clock.ts'
import type { Authentication } from '../authenticate.ts'
import { bodyText, readBody } from '../body.ts'
import { bare, json, query, queryPairs, splice, text, type Exchange, type Handler, type Reply } from '../exchange.ts'
import { isNavigation } from '../guard.ts'
import { HeldRequest, probeWhileSilent } from '../held-request.ts'
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

const RETRY_SOON = ['Retry-After', '1'] as const

/** Where a person's browser finds the interface. */
export const INTERFACE_PATH = '/admin/'

/** The endpoints of SPEC 7. `param` is the decoded last part of the path, where the path has one. */
export function clientRoutes({ bus, clock, authentication, allowTokenless, isClosing }: ClientRoutesOptions) {
  /** Key, body, signature, in this order: a stranger's body is not even read. What the key may do is asked after that. */
  function asClient(handler: ClientHandler) {
    return async (ctx: Exchange, param: string): Promise<Reply> => {
      let key = await authentication.key(ctx)
      const { generation } = bus.keys
      const body = await readBody(ctx.req)
      // A body may take its time, and the key may have been revoked or limited meanwhile.
      if (bus.keys.generation !== generation) key = await authentication.key(ctx)
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
    checkPublish(caller.key, request)
    const published = await bus.publish(caller, request, idempotencyKey, body)
    return json(201, JSON.stringify(published))
  })

  const claim = asClient(async (caller, _body, ctx) => {
    const wait = HeldRequest.of(ctx, isClosing)
    const request = limitClaim(caller.key, readClaim(ctx, wait !== undefined))
    const claimed = await bus.claim(caller, request, wait)
    if (claimed === null) return bare(204, [...RETRY_SOON, ...(wait?.headers(false) ?? [])])
    // While the commit was on its way to the disk, the end of the connection may have come in.
    if (wait?.isHeld === true) await nextTurn()
    const onUndelivered = (): void => void bus.takeBack(claimed).catch(() => {})
    return { ...json(200, claimedBody(claimed), wait?.headers(true)), onUndelivered }
  })

  async function result(caller: Caller | null, ctx: Exchange, id: string): Promise<Reply> {
    const wait = HeldRequest.of(ctx, isClosing)
    const status = wait === undefined ? await bus.status(caller, id) : await bus.settled(caller, id, wait)
    const isSettled = status.status !== 'open' && status.status !== 'claimed'
    return json(200, resultBody(status), wait?.headers(isSettled))
  }

  async function status(caller: Caller | null, _ctx: Exchange, id: string): Promise<Reply> {
    return json(200, statusBody(await bus.status(caller, id)))
  }

  const events = asClient((caller, _body, ctx) => {
    checkRead(caller.key)
    if (isClosing(ctx.req)) throw new ProtocolError('shutting_down', 'The bus is shutting down.', 1)
    probeWhileSilent(ctx)
    return followEvents(bus, caller, header(ctx, 'last-event-id'))
  })

  const extendClaim = asClient(async (caller, body, _ctx, id) => {
    checkSettle(caller.key)
    const request = requests.readExtend(body, allowTokenless)
    await bus.extend(caller, id, request)
    return json(200, JSON.stringify({ ok: true, id, extended_by: request.seconds }))
  })

  const fulfill = asClient(async (caller, body, _ctx, id) => {
    checkSettle(caller.key)
    await bus.fulfill(caller, id, requests.readFulfill(body, allowTokenless))
    return json(200, JSON.stringify({ ok: true, id }))
  })

  const fail = asClient(async (caller, body, _ctx, id) => {
    checkSettle(caller.key)
    await bus.fail(caller, id, requests.readFail(body, allowTokenless))
    return json(200, JSON.stringify({ ok: true, id }))
  })

  const set = asClient(async (caller, body, ctx, name) => {
    checkStore(caller.key)
    const idempotencyKey = requests.readIdempotencyKey(header(ctx, 'idempotency-key'))
    await bus.set(caller, requests.readStoreKey(name), requests.readSet(body), idempotencyKey, body)
    return json(200, '{"ok":true}')
  })

  const get = asClient((caller, _body, _ctx, name) => {
    checkStore(caller.key)
    return json(200, `{"value":${bus.get(caller, requests.readStoreKey(name))}}`)
  })

  /** For the key's own intents; an operator's credentials without a key read all (SPEC 7.7). */
  function asReader(read: (caller: Caller | null, ctx: Exchange, id: string) => Promise<Reply>) {
    const forClient = asClient((caller, _body, ctx, id) => {
      checkRead(caller.key)
      return read(caller, ctx, id)
    })
    return async (ctx: Exchange, id: string): Promise<Reply> => {
      const isOperator = ctx.req.headers['x-api-key'] === undefined && (await authentication.isOperator(ctx))
      return isOperator ? read(null, ctx, id) : forClient(ctx, id)
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
    result: asReader(result),
    status: asReader(status)
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
    namespace: query(ctx.state, 'namespace'),
    publisher: query(ctx.state, 'publisher'),
    workerId: header(ctx, 'x-worker-id') ?? query(ctx.state, 'worker_id'),
    capabilities:
      header(ctx, 'x-worker-capabilities') ??
      header(ctx, 'x-worker-capability') ??
      query(ctx.state, 'capabilities') ??
      query(ctx.state, 'capability')
  })
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
