import type { Bus } from '../../bus/bus.ts'
import type { Caller } from '../../bus/caller.ts'
import type { Claimed } from '../../bus/intents/claim.ts'
import type { IntentStatus } from '../../bus/intents/intent.ts'
import { SERVER_API_VERSION } from '../../../shared/limits.ts'
import * as requests from '../../../shared/requests.ts'
import { APP_NAME, APP_VERSION } from '../../app-info.ts'
import type { Clock } from '../../bus/clock.ts'
import type { Authentication } from '../authenticate.ts'
import { bodyText, readBody } from '../body.ts'
import { bare, json, queryPairs, splice, text, type Exchange, type Handler, type Reply } from '../exchange.ts'
import { isNavigation } from '../guard.ts'

export interface ClientRoutesOptions {
  readonly bus: Bus
  readonly clock: Clock
  readonly authentication: Authentication
  /** Lets mutations without a claim token in, from the key and address that hold the lease. */
  readonly allowTokenless: boolean
}

type ClientHandler = (caller: Caller, body: string, ctx: Exchange, param: string) => Reply | Promise<Reply>

const NOTHING_TO_CLAIM = bare(204, ['Retry-After', '1'])

/** Where a person's browser finds the interface. */
export const INTERFACE_PATH = '/admin/'

/** The endpoints of SPEC 7. `param` is the decoded last part of the path, where the path has one. */
export function clientRoutes({ bus, clock, authentication, allowTokenless }: ClientRoutesOptions) {
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
    const request = requests.readPublish(body)
    const published = await bus.publish(caller, request, idempotencyKey, body)
    return json(201, JSON.stringify(published))
  })

  const claim = asClient(async (caller, _body, ctx) => {
    const claimed = await bus.claim(caller, readClaim(ctx))
    return claimed === null ? NOTHING_TO_CLAIM : json(200, claimedBody(claimed))
  })

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

  /** For the key's own intents; an operator's credentials without a key read all (SPEC 7.7). */
  function asReader(body: (status: IntentStatus) => string) {
    const forClient = asClient(async (caller, _body, _ctx, id) => json(200, body(await bus.status(caller, id))))
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
    result: asReader(resultBody),
    status: asReader(statusBody)
  }
}

/** Claims take each of their parts from a header or the query (SPEC 7.3); of a repeated parameter the first counts. */
function readClaim(ctx: Exchange): requests.ClaimRequest {
  const pairs = queryPairs(ctx.state)
  const query = (name: string): string | undefined => pairs.find(([other]) => other === name)?.[1]
  return requests.readClaim({
    goal: query('goal'),
    namespace: query('namespace'),
    publisher: query('publisher'),
    workerId: header(ctx, 'x-worker-id') ?? query('worker_id'),
    capabilities:
      header(ctx, 'x-worker-capabilities') ??
      header(ctx, 'x-worker-capability') ??
      query('capabilities') ??
      query('capability')
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
