import type { CheckedInput } from '../../../shared/control/contract.ts'
import type { PairingView, SharingView } from '../../../shared/control/network-views.ts'
import { ProtocolError } from '../../../shared/errors.ts'
import { CODE_LIFETIME, type PairingBus } from '../../../shared/pairing.ts'
import type { Clock } from '../../bus/clock.ts'
import type { Random } from '../../bus/random.ts'
import { clientNetwork } from '../../net/addresses.ts'
import { PairingCode, type Evidence } from './code.ts'
import { codeView } from './lines.ts'
import { Prizes, type By, type PrizeSource } from './prizes.ts'
import { PairingRequest, type Device, type Outcome } from './request.ts'
import { Timers } from './timers.ts'

export type { By }

/** Seconds in which somebody must decide. */
export const REQUEST_LIFETIME = 300
/** Seconds that a device has at least, from being let in on, to come for what it is given, and to come again when that got lost. */
export const FETCH_LIFETIME = 60
/** Seconds that operators see what became of a request. */
const SHOWN_AFTERWARDS = 600
/** Requests that may wait for a decision at a time. */
export const MAX_WAITING = 8

const TOKEN_BYTES = 32
const ID_BYTES = 8

/** What pairing works on. */
export interface PairingSource extends PrizeSource {
  readonly clock: Clock
  readonly random: Random
  /** How other machines reach the bus. */
  readonly sharing: { view(): SharingView }
}

/** By what a device asks how it stands with its request. */
export interface Question {
  readonly id: string
  readonly token: string
  readonly kind: Device['kind']
}

/** A request that came in. `proof`: the bus's answer to a device's proof. */
export interface Asked extends Question {
  readonly proof?: string
}

/**
 * Lets devices in. A code is shown for two minutes and good for one device; who has it may ask, and gets nothing until an
 * operator allows it. All of it is in memory: a restart ends it. A key that nobody came for is revoked, and expires by itself
 * where the bus ended before it could.
 */
export class Pairing {
  readonly #source: PairingSource
  readonly #prizes: Prizes
  /** Oldest first. */
  readonly #requests = new Map<string, PairingRequest>()
  /** What ends the code and each request when its time is up. */
  readonly #timers: Timers
  #code: PairingCode | undefined
  #wrongCodes: PairingView['wrongCodes'] = { count: 0, lastAt: null }
  #isClosed = false

  constructor(source: PairingSource) {
    this.#source = source
    this.#prizes = new Prizes(source)
    this.#timers = new Timers(source.clock)
  }

  /** Shows a new code in place of one that is shown. Throws 400 while no other machine can reach the bus. */
  start({ actor, address }: By): void {
    const { bus, clock, random, sharing } = this.#source
    const { state, identity, urls } = sharing.view()
    if (state !== 'listening' || identity === null || urls.length === 0 || this.#isClosed) {
      const cure = state === 'off' ? 'turn sharing on first.' : 'see what keeps it from being shared.'
      throw new ProtocolError('invalid_request', `No other machine can reach this bus: ${cure}`)
    }
    this.#drop()
    const code = new PairingCode(random, identity.pin, clock.now() + CODE_LIFETIME)
    this.#code = code
    this.#timers.at(code.id, code.expiresAt, () => this.stop())
    bus.audit.note({ event: 'pairing.started', actor, address })
    this.#changed()
  }

  /** Shows no code any more. Devices that asked already are not concerned. */
  stop(): void {
    if (this.#code === undefined) return
    this.#drop()
    this.#changed()
  }

  /** The bus is shared in another way: a code ends with sharing, and with the identity that it was shown with. */
  noteSharing(): void {
    const { state, identity } = this.#source.sharing.view()
    if (state === 'off' || this.#code?.pin !== identity?.pin) this.stop()
  }

  /** Names the code that is shown, for devices that must not say the code itself; undefined while there is none. */
  get shownId(): string | undefined {
    return this.#code?.id
  }

  /**
   * A device asks to be let in; the code is used up by that. Throws 403 `invalid_code`, which does not tell a wrong code from one
   * that was used or is over, and 429 while too many wait.
   */
  async ask(device: Device, evidence: Evidence): Promise<Asked> {
    if (this.pendingCount >= MAX_WAITING) {
      throw new ProtocolError('limit_exceeded', `${MAX_WAITING} devices wait to be let in; allow or refuse them first.`, 10)
    }
    const code = this.#code
    const verdict = (await code?.judge(evidence, clientNetwork(device.address))) ?? { isRight: false }
    const { proof } = verdict
    // While it was looked at another device may have used it, or the bus got another identity.
    const isGood = verdict.isRight && code !== undefined && code === this.#code && code.pin === this.#pin
    if (!isGood) {
      if (code !== undefined && code === this.#code && code.isUsedUp) this.#drop()
      this.#noteWrong(device.address)
      throw new ProtocolError('invalid_code', 'This code is wrong, was used, or is over: have the bus show a new one.')
    }
    this.#drop()
    return { ...this.#add(device), ...(proof !== undefined && { proof }) }
  }

  /** How it stands with a request, after up to so many seconds without a decision. One that is not this device's is `expired`. */
  async wait({ id, token, kind }: Question, seconds: number, signal: AbortSignal): Promise<Outcome> {
    const request = this.#requests.get(id)
    if (request?.device.kind !== kind || !request.isToken(token)) return { state: 'expired' }
    await request.decided(this.#isClosed ? 0 : seconds, signal)
    const { outcome } = request
    if (outcome.state === 'allowed') {
      // First, so that it is not taken back meanwhile.
      this.#noteTaken(request, true)
      await this.#prizes.handOver(outcome.prize)
    }
    return outcome
  }

  /** What a device was let in with never left: it may come for it again. */
  noteUndelivered(id: string): void {
    const request = this.#requests.get(id)
    if (request?.state === 'taken') this.#noteTaken(request, false)
  }

  /** Lets a device in, or refuses it. Throws 404 when it does not wait any more, and what making its key throws. */
  async decide(decision: CheckedInput<'pairing.decide'>, { actor, address }: By): Promise<void> {
    const request = this.#requests.get(decision.id)
    if (request?.state !== 'waiting' || request.isBeingDecided) throw over()
    const { audit } = this.#source.bus
    if (!decision.allow) {
      request.refuse()
      audit.note({ event: 'pairing.refused', actor, address, subject: request.device.name })
      this.#changed(true)
      return
    }
    request.isBeingDecided = true
    try {
      const expiresAt = Math.max(request.expiresAt, this.#source.clock.now() + FETCH_LIFETIME)
      const prize = await this.#prizes.make(request.device, decision, expiresAt, { actor, address })
      if (request.state !== 'waiting') {
        await this.#prizes.takeBack(prize)
        throw over()
      }
      request.expiresAt = expiresAt
      request.allow(prize)
    } finally {
      request.isBeingDecided = false
    }
    this.#expireInTime(request)
    this.#prizes.changed(request.device)
    this.#changed(true)
  }

  /** Devices that wait for a decision. */
  get pendingCount(): number {
    return [...this.#requests.values()].filter(({ state }) => state === 'waiting').length
  }

  view(): PairingView {
    const { urls, identity } = this.#source.sharing.view()
    const [url] = urls
    return {
      code: this.#code !== undefined && url !== undefined && identity !== null ? codeView(this.#code, url, identity.fingerprint) : null,
      requests: [...this.#requests.values()].reverse().map(({ view }) => view),
      wrongCodes: this.#wrongCodes
    }
  }

  /** By what devices know this bus. */
  get pairedBus(): PairingBus {
    const { busName, urls, identity } = this.#source.sharing.view()
    return { name: busName, url: urls[0] ?? '', urls, pin: identity?.pin ?? '', ca: identity?.rootPem ?? '' }
  }

  /** Ends all of it; resolves when what nobody came for is taken back. */
  async close(): Promise<void> {
    this.#isClosed = true
    this.#code = undefined
    this.#timers.close()
    const unclaimed = [...this.#requests.values()].flatMap((request) => request.expire() ?? [])
    await Promise.all(unclaimed.map((prize) => this.#prizes.takeBack(prize)))
  }

  get #pin(): string | undefined {
    return this.#source.sharing.view().identity?.pin
  }

  #add(device: Device): Question {
    const { bus, clock, random } = this.#source
    const id = random.hex(ID_BYTES)
    const token = random.hex(TOKEN_BYTES)
    const request = new PairingRequest(id, token, device, clock, REQUEST_LIFETIME)
    this.#requests.set(id, request)
    this.#expireInTime(request)
    bus.audit.note({ event: 'pairing.asked', actor: '', address: device.address, subject: device.name, detail: device.kind })
    this.#changed(true)
    return { id, token, kind: device.kind }
  }

  #expireInTime(request: PairingRequest): void {
    this.#timers.at(request.id, request.expiresAt, () => {
      const { state, device } = request
      const unclaimed = request.expire()
      if (request.state === 'expired') this.#noteExpired(device, state === 'waiting' ? 'nobody decided' : 'nobody came for it')
      // Should that fail, a key is left in the list whose secret nobody has.
      if (unclaimed !== undefined) void this.#prizes.takeBack(unclaimed).catch(() => {})
      this.#timers.at(request.id, request.expiresAt + SHOWN_AFTERWARDS, () => {
        this.#requests.delete(request.id)
        this.#changed()
      })
      this.#changed(true)
    })
  }

  #noteExpired({ name, address }: Device, detail: string): void {
    this.#source.bus.audit.note({ event: 'pairing.expired', actor: '', address, subject: name, detail })
  }

  #noteWrong(address: string): void {
    const { bus, clock } = this.#source
    this.#wrongCodes = { count: this.#wrongCodes.count + 1, lastAt: clock.now() }
    bus.audit.note({ event: 'pairing.wrong', actor: '', address })
    this.#changed()
  }

  #noteTaken(request: PairingRequest, isTaken: boolean): void {
    request.noteTaken(isTaken)
    this.#changed()
  }

  #drop(): void {
    if (this.#code === undefined) return
    this.#timers.cancel(this.#code.id)
    this.#code = undefined
  }

  /** `isOfStatus`: how many wait may be another number. */
  #changed(isOfStatus = false): void {
    this.#source.onChange(isOfStatus ? 'waiting' : 'pairing')
  }
}

function over(): ProtocolError {
  return new ProtocolError('not_found', 'This device does not wait any more: somebody has decided, or it took too long.')
}
