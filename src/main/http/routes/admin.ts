import type { AuditEvent } from '../../../shared/control/network-views.ts'
import { ProtocolError } from '../../../shared/errors.ts'
import * as requests from '../../../shared/requests.ts'
import type { AuditNote } from '../../bus/audit.ts'
import type { Bus } from '../../bus/bus.ts'
import type { IntentDetail } from '../../bus/intents/intent.ts'
import type { Key } from '../../bus/keys.ts'
import { actorOf, adminAt, type Control } from '../../control/control.ts'
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

/** `address`: where the operator asks from. */
type AdminHandler = (body: string, param: string, address: string) => Reply | Promise<Reply>

const OK = '{"ok":true}'

/** The endpoints of SPEC 8 and 9. */
export function adminRoutes({ bus, control, authentication }: AdminRoutesOptions) {
  function asOperator(handler: AdminHandler) {
    return async (ctx: Exchange, param: string): Promise<Reply> => {
      await authentication.operator(ctx)
      return handler(bodyText(await readBody(ctx.req)), param, ctx.state.address)
    }
  }

  /** For what deletes in steps and may take minutes: the connection is not idle meanwhile. */
  function asPatientOperator(handler: AdminHandler) {
    return async (ctx: Exchange, param: string): Promise<Reply> => {
      await authentication.operator(ctx)
      ctx.req.setTimeout(0)
      return handler(bodyText(await readBody(ctx.req)), param, ctx.state.address)
    }
  }

  /** Goes the way of the control contract, so that the interface and the tray hear of it. */
  async function pause(paused: boolean, address: string): Promise<Reply> {
    const envelope = await control.call(adminAt(address), 'bus.pause', { paused })
    return envelope.ok ? json(200, JSON.stringify({ ok: true, paused })) : failedCall(envelope.error)
  }

  function note(event: AuditEvent, address: string, subject: string, detail = ''): void {
    bus.audit.note({ event, actor: actorOf(adminAt(address)), address, subject, detail })
  }

  return {
    dashboard: asOperator(async () => {
      return html(200, dashboardPage(await bus.reader.ask('overview')), ['Content-Security-Policy', DASHBOARD_CSP])
    }),

    generateKey: asOperator(async (body, _param, address) => {
      const noteOf = ({ id, owner }: Key): AuditNote => ({ event: 'key.created', actor: actorOf(adminAt(address)), address, subject: id, detail: owner })
      const { key, secret } = await bus.createKey(requests.readOwner(body), undefined, noteOf)
      return json(201, JSON.stringify({ api_key: secret, owner: key.owner, id: key.id }))
    }),

    revokeKey: asOperator(async (body, _param, address) => {
      note('key.revoked', address, await bus.revokeKey(requests.readKeyToRevoke(body)))
      return json(200, OK)
    }),

    purge: asPatientOperator(async (body, _param, address) => {
      const namespace = requests.readPurge(body)
      await bus.purge(namespace)
      note('bus.purged', address, namespace ?? 'all namespaces')
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

    pause: asOperator((_body, _param, address) => pause(true, address)),

    resume: asOperator((_body, _param, address) => pause(false, address)),

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
