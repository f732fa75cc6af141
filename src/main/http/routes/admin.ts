import { ProtocolError } from '../../../shared/errors.ts'
import * as requests from '../../../shared/requests.ts'
import type { Bus } from '../../bus/bus.ts'
import type { IntentDetail } from '../../bus/intents/intent.ts'
import type { Control } from '../../control/control.ts'
import type { Authentication } from '../authenticate.ts'
import { bodyText, readBody } from '../body.ts'
import { DASHBOARD_CSP, dashboardPage } from '../dashboard.ts'
import { failedCall, html, json, splice, text, type Exchange, type Reply } from '../exchange.ts'
import { metricsText } from '../metrics.ts'

export interface AdminRoutesOptions {
  readonly bus: Bus
  readonly control: Control
  readonly authentication: Authentication
}

type AdminHandler = (body: string, param: string) => Reply | Promise<Reply>

const OK = '{"ok":true}'

/** The endpoints of SPEC 8 and 9. */
export function adminRoutes({ bus, control, authentication }: AdminRoutesOptions) {
  function asOperator(handler: AdminHandler) {
    return async (ctx: Exchange, param: string): Promise<Reply> => {
      await authentication.operator(ctx)
      return handler(bodyText(await readBody(ctx.req)), param)
    }
  }

  /** For what deletes in steps and may take minutes: the connection is not idle meanwhile. */
  function asPatientOperator(handler: AdminHandler) {
    return async (ctx: Exchange, param: string): Promise<Reply> => {
      await authentication.operator(ctx)
      ctx.req.setTimeout(0)
      return handler(bodyText(await readBody(ctx.req)), param)
    }
  }

  /** Goes the way of the control contract, so that the interface and the tray hear of it. */
  async function pause(paused: boolean): Promise<Reply> {
    const envelope = await control.call({ via: 'credentials' }, 'bus.pause', { paused })
    return envelope.ok ? json(200, JSON.stringify({ ok: true, paused })) : failedCall(envelope.error)
  }

  return {
    dashboard: asOperator(async () => {
      return html(200, dashboardPage(await bus.reader.ask('overview')), ['Content-Security-Policy', DASHBOARD_CSP])
    }),

    generateKey: asOperator(async (body) => {
      const { key, secret } = await bus.createKey(requests.readOwner(body))
      return json(201, JSON.stringify({ api_key: secret, owner: key.owner, id: key.id }))
    }),

    revokeKey: asOperator(async (body) => {
      await bus.revokeKey(requests.readKeyToRevoke(body))
      return json(200, OK)
    }),

    purge: asPatientOperator(async (body) => {
      await bus.purge(requests.readPurge(body))
      return json(200, OK)
    }),

    cleanup: asPatientOperator(async () => json(200, JSON.stringify(await bus.cleanup()))),

    intent: asOperator(async (_body, id) => json(200, detailBody(await bus.detail(id)))),

    cancel: asOperator(async (_body, id) => {
      await bus.cancel(id)
      return json(200, JSON.stringify({ ok: true, id, status: 'dead' }))
    }),

    retry: asOperator(async (_body, id) => {
      await bus.retry(id)
      return json(200, JSON.stringify({ ok: true, id, status: 'open' }))
    }),

    deadLetters: asOperator(async () => json(200, JSON.stringify(await bus.reader.ask('deadLetters')))),

    deadLetter: asOperator(async (_body, id) => {
      const letter = await bus.reader.ask('deadLetter', id)
      if (letter === undefined) throw new ProtocolError('not_found', 'Dead letter not found.')
      const { payload, ...rest } = letter
      return json(200, splice(rest, 'payload', payload))
    }),

    pause: asOperator(() => pause(true)),

    resume: asOperator(() => pause(false)),

    metrics: async (ctx: Exchange): Promise<Reply> => {
      await authentication.metricsReader(ctx)
      const reply = text(200, metricsText(await bus.reader.ask('metrics'), bus.commitCounts))
      return { ...reply, type: 'text/plain; version=0.0.4; charset=utf-8' }
    }
  }
}

function detailBody({ payload, result, error, ...rest }: IntentDetail): string {
  const fields = { ...rest, last_error: error }
  return splice(fields, 'result', `${result ?? 'null'},"payload":${payload}`)
}
