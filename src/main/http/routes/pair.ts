import type { IncomingMessage } from 'node:http'
import { z } from 'zod'
import { ProtocolError } from '../../../shared/errors.ts'
import {
  ASK_WAIT,
  DECISION_WAIT,
  MAX_DEVICE_NAME,
  readDeviceName,
  type PairingAllowed,
  type PairingWaiting
} from '../../../shared/pairing.ts'
import { SESSION_LIFETIME } from '../../bus/sessions.ts'
import type { Evidence } from '../../lan/pairing/code.ts'
import type { Asked, Pairing } from '../../lan/pairing/pairing.ts'
import type { Device, Prize } from '../../lan/pairing/request.ts'
import { bodyText, readBody } from '../body.ts'
import { json, type Exchange, type Reply } from '../exchange.ts'
import type { FailedLogins } from '../failed-logins.ts'
import { probeWhileSilent } from '../held-request.ts'
import { halvesOf, startCookie } from '../sessions.ts'

export interface PairRoutesOptions {
  readonly pairing: Pairing
  readonly failedCodes: FailedLogins
  /** True once the listener of a request takes no new ones. */
  readonly isClosing: (req: IncomingMessage) => boolean
}

/** Bytes: more than any device has to say. */
const MAX_BODY = 2_048
const MAX_AGENT_LENGTH = 128
/** Seconds that a browser's question may be held where it does not say. */
const BROWSER_WAIT = 25

const name = z.string().max(256)
const hex = (digits: string) => {
  return z.string().regex(new RegExp(`^[0-9a-f]{${digits}}$`), `must be ${digits.replace(',', ' to ')} hex digits`)
}
const code = z.string().max(64)
const wait = ({ min, max }: { readonly min: number; readonly max: number }) => z.number().min(min).max(max)
const token = hex('1,64')

const askFields = { name, kind: z.literal('worker').default('worker'), wait: wait(ASK_WAIT).default(0) }
const workersAsk = z.union(
  [
    z.object({ code, ...askFields }),
    z.object({ pairing: hex('1,64'), nonce: hex('32,64'), proof: hex('64'), ...askFields })
  ],
  'needs a code, or pairing, nonce and proof, and a name'
)
const browsersAsk = z.object({ code, name })
const workersQuestion = z.object({ request: token, token, wait: wait(DECISION_WAIT).default(0) })
const browsersQuestion = z.object({ request: token, token, wait: wait(DECISION_WAIT).default(BROWSER_WAIT) })

/** How devices ask to be let in: workers by /pair, browsers under the interface's own address. */
export function pairRoutes({ pairing, failedCodes, isClosing }: PairRoutesOptions) {
  /** Wrong codes slow their address down like wrong passwords. */
  async function ask(ctx: Exchange, kind: Device['kind'], evidence: Evidence): Promise<Asked> {
    const { address, isLoopback } = ctx.state
    const clean = readDeviceName(evidence.name)
    if (clean === undefined) {
      throw new ProtocolError('invalid_request', `name: must have 1 to ${MAX_DEVICE_NAME} printable characters.`)
    }
    failedCodes.admit(address, isLoopback)
    try {
      return await pairing.ask({ kind, name: clean, address, agent: agentOf(ctx) }, evidence)
    } catch (error) {
      if (error instanceof ProtocolError && error.code === 'invalid_code') await failedCodes.note(address, isLoopback)
      throw error
    }
  }

  /** How it stands with a request, in up to so many seconds. `proof`: the bus's own, for a device that asked with one. */
  async function answer(ctx: Exchange, { proof, ...question }: Asked, seconds: number): Promise<Reply> {
    const gone = new AbortController()
    ctx.res.once('close', () => gone.abort())
    probeWhileSilent(ctx)
    const outcome = await pairing.wait(question, isClosing(ctx.req) ? 0 : seconds, gone.signal)
    const { id, token } = question
    switch (outcome.state) {
      case 'refused':
        throw new ProtocolError('pairing_refused', 'The request was refused on the bus.')
      case 'expired':
        throw new ProtocolError('not_found', 'This request is over: ask again, with a new code.')
      case 'waiting': {
        const expiresIn = Math.round(outcome.expiresIn)
        const waiting: PairingWaiting = { status: 'waiting', request: id, token, expires_in: expiresIn }
        return json(202, JSON.stringify(proof === undefined ? waiting : { ...waiting, proof }))
      }
      case 'allowed':
        return { ...allowed(ctx, outcome.prize, proof), onUndelivered: () => pairing.noteUndelivered(id) }
    }
  }

  function allowed(ctx: Exchange, prize: Prize, proof: string | undefined): Reply {
    if (prize.kind === 'browser') {
      const halves = halvesOf(prize.secret)
      return json(200, JSON.stringify({ status: 'allowed', session: halves.page }), startCookie(ctx, halves, SESSION_LIFETIME))
    }
    const { secret, keyId, name, limits } = prize
    const { pairedBus: bus } = pairing
    // Whoever gets a key is its owner, before it is used for the first time.
    Object.assign(ctx.state, { keyId, callerName: name })
    const body: PairingAllowed = { status: 'allowed', key: secret, key_id: keyId, name, bus, limits }
    return json(200, JSON.stringify(proof === undefined ? body : { ...body, proof }))
  }

  return {
    /** By it a device can prove that it knows the code without saying it. */
    shown: (): Reply => {
      const { shownId } = pairing
      if (shownId === undefined) throw new ProtocolError('not_found', 'No code is shown on this bus now.')
      return json(200, JSON.stringify({ pairing: shownId }))
    },

    ask: async (ctx: Exchange): Promise<Reply> => {
      const { wait, ...evidence } = await read(ctx, workersAsk)
      return answer(ctx, await ask(ctx, 'worker', evidence), wait)
    },

    wait: async (ctx: Exchange): Promise<Reply> => {
      const { request, token, wait } = await read(ctx, workersQuestion)
      return answer(ctx, { id: request, token, kind: 'worker' }, wait)
    },

    browserAsk: async (ctx: Exchange): Promise<Reply> => {
      return answer(ctx, await ask(ctx, 'browser', await read(ctx, browsersAsk)), 0)
    },

    browserWait: async (ctx: Exchange): Promise<Reply> => {
      const { request, token, wait } = await read(ctx, browsersQuestion)
      return answer(ctx, { id: request, token, kind: 'browser' }, wait)
    }
  }
}

/** Forms, which other sites can make a browser send, cannot say that they are JSON. */
async function read<T>(ctx: Exchange, schema: z.ZodType<T>): Promise<T> {
  if (!/^application\/json\b/i.test(ctx.req.headers['content-type'] ?? '')) {
    throw new ProtocolError('invalid_request', 'Send JSON, with the header Content-Type: application/json.')
  }
  const text = bodyText(await readBody(ctx.req, MAX_BODY))
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    // What the parser says quotes the body, and with it a code.
    throw new ProtocolError('invalid_json', 'The request body is not valid JSON.')
  }
  const checked = schema.safeParse(value)
  if (checked.success) return checked.data
  const { path, message } = checked.error.issues[0]!
  throw new ProtocolError('invalid_request', `${path.join('.') || 'The body'}: ${message}.`)
}

/** What the device's program calls itself, for whoever decides. */
function agentOf({ req }: Exchange): string | null {
  return req.headers['user-agent']?.slice(0, MAX_AGENT_LENGTH) ?? null
}
