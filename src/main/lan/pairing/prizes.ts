import type { CheckedInput } from '../../../shared/control/contract.ts'
import { limitsText } from '../../../shared/control/limits-text.ts'
import type { AuditNote } from '../../bus/audit.ts'
import type { Bus } from '../../bus/bus.ts'
import type { Device, Prize } from './request.ts'

/** What prizes are made of. */
export interface PrizeSource {
  readonly bus: Pick<Bus, 'audit' | 'createKey' | 'keys' | 'limitKey' | 'revokeKey' | 'sessions'>
  /** These are others now; `waiting`: how many devices wait for a decision. */
  readonly onChange: (what: PairingChange) => void
}

export type PairingChange = 'pairing' | 'waiting' | 'keys' | 'sessions'

/** Which operator does something, for the audit trail. */
export interface By {
  readonly actor: string
  readonly address: string
}

/** What was decided for a device that is let in. */
export type Grant = Extract<CheckedInput<'pairing.decide'>, { readonly allow: true }>

/** Makes what devices get, and takes back what they do not come for. */
export class Prizes {
  readonly #source: PrizeSource

  constructor(source: PrizeSource) {
    this.#source = source
  }

  /**
   * Makes a prize, and tells the audit trail of it in the same transaction. A key expires at `expiresAt` (Unix seconds) until it is
   * handed over: a crash before that leaves none whose secret nobody has. Throws what making a key throws.
   */
  async make({ kind, address, agent }: Device, { name, limits, rights }: Grant, expiresAt: number, by: By): Promise<Prize> {
    const { bus } = this.#source
    const note = (detail: string): AuditNote => ({ event: 'pairing.allowed', ...by, subject: name, detail })
    if (kind === 'worker') {
      const fetchBy = Math.min(limits.expiresAt ?? Infinity, Math.ceil(expiresAt))
      const { key, secret } = await bus.createKey(name, { ...limits, expiresAt: fetchBy }, ({ id }) => note(`${id}: ${limitsText(limits)}`))
      return { kind, secret, keyId: key.id, name: key.owner, limits: { ...key.limits, expiresAt: limits.expiresAt }, fetchBy }
    }
    const alongside = (now: number): void => bus.audit.write(note(`browser: ${rights.join(', ')}`), now)
    const { secret, id } = await bus.sessions.open({ address, agent: agent ?? '', name, rights, alongside })
    return { kind, secret, sessionId: id }
  }

  /** The prize is the device's from now on: a key lasts as long as was decided. */
  async handOver(prize: Prize): Promise<void> {
    if (prize.kind === 'browser') return
    const { bus } = this.#source
    const { limits } = bus.keys.byId(prize.keyId) ?? {}
    // Otherwise it was fetched before, or an operator has revoked it or changed when it expires.
    if (limits?.expiresAt !== prize.fetchBy) return
    await bus.limitKey(prize.keyId, { ...limits, expiresAt: prize.limits.expiresAt })
    this.changed(prize)
  }

  async takeBack(prize: Prize): Promise<void> {
    const { bus } = this.#source
    if (prize.kind === 'browser') await bus.sessions.end(prize.sessionId)
    // Where an operator was faster.
    else if (bus.keys.byId(prize.keyId) !== undefined) await bus.revokeKey(prize.keyId)
    this.changed(prize)
  }

  /** Says that keys or sessions are others. */
  changed({ kind }: Pick<Prize, 'kind'>): void {
    this.#source.onChange(kind === 'worker' ? 'keys' : 'sessions')
  }
}
