import { timingSafeEqual } from 'node:crypto'
import type { PairingRequestView } from '../../../shared/control/network-views.ts'
import type { KeyLimits } from '../../../shared/scope.ts'
import type { Clock } from '../../bus/clock.ts'

/** A device that asks. */
export interface Device {
  readonly kind: PairingRequestView['kind']
  /** What it calls itself, cleaned. */
  readonly name: string
  readonly address: string
  /** What its program calls itself; null where it does not say. */
  readonly agent: string | null
}

/** What a device gets when it is let in: a worker a key, a browser a session. Kept in memory only. */
export type Prize =
  | {
      readonly kind: 'worker'
      readonly secret: string
      readonly keyId: string
      readonly name: string
      readonly limits: KeyLimits
      /** When the key expires while it was not fetched. Unix seconds. */
      readonly fetchBy: number
    }
  | { readonly kind: 'browser'; readonly secret: string; readonly sessionId: string }

/** How it stands with a request, for the device. */
export type Outcome =
  | { readonly state: 'waiting'; /** Seconds. */ readonly expiresIn: number }
  | { readonly state: 'allowed'; readonly prize: Prize }
  | { readonly state: 'refused' | 'expired' }

export type RequestState = PairingRequestView['state']

/** A request of a device to be let in, from its asking on. It changes by what Pairing decides, and tells who waits for it. */
export class PairingRequest {
  readonly id: string
  readonly device: Device
  /** Unix seconds. */
  readonly askedAt: number
  expiresAt: number
  /** Somebody's decision is being carried out. */
  isBeingDecided = false
  readonly #token: Buffer
  readonly #clock: Clock
  readonly #waiting = new Set<() => void>()
  #state: RequestState = 'waiting'
  #prize: Prize | undefined

  constructor(id: string, token: string, device: Device, clock: Clock, lifetime: number) {
    this.id = id
    this.#token = Buffer.from(token)
    this.device = device
    this.#clock = clock
    this.askedAt = clock.now()
    this.expiresAt = this.askedAt + lifetime
  }

  get state(): RequestState {
    return this.#state
  }

  get view(): PairingRequestView {
    const { id, device, askedAt, expiresAt, state } = this
    return { id, ...device, askedAt, expiresAt, state }
  }

  get outcome(): Outcome {
    if (this.#prize !== undefined) return { state: 'allowed', prize: this.#prize }
    if (this.#state === 'waiting') return { state: 'waiting', expiresIn: Math.max(0, this.expiresAt - this.#clock.now()) }
    return { state: this.#state === 'refused' ? 'refused' : 'expired' }
  }

  /** Whether it was this device that asked. */
  isToken(text: string): boolean {
    const token = Buffer.from(text)
    return token.length === this.#token.length && timingSafeEqual(token, this.#token)
  }

  allow(prize: Prize): void {
    this.#prize = prize
    this.#become('allowed')
  }

  refuse(): void {
    this.#become('refused')
  }

  /** The device gets its prize, or did not after all: until the request expires it may ask for it again. */
  noteTaken(isTaken: boolean): void {
    this.#state = isTaken ? 'taken' : 'allowed'
  }

  /** Ends it; the answer is a prize that nobody has come for. */
  expire(): Prize | undefined {
    const unclaimed = this.#state === 'allowed' ? this.#prize : undefined
    this.#prize = undefined
    if (this.#state === 'waiting' || unclaimed !== undefined) this.#become('expired')
    return unclaimed
  }

  /** Resolves when it was decided or ended, when the time is up, or when `signal` is aborted. */
  async decided(seconds: number, signal: AbortSignal): Promise<void> {
    if (this.#state !== 'waiting' || seconds <= 0 || signal.aborted) return
    await new Promise<void>((resolve) => {
      const wake = (): void => {
        cancel()
        signal.removeEventListener('abort', wake)
        this.#waiting.delete(wake)
        resolve()
      }
      const cancel = this.#clock.after(seconds, wake)
      signal.addEventListener('abort', wake, { once: true })
      this.#waiting.add(wake)
    })
  }

  /** Nobody is kept waiting any longer. */
  endWaits(): void {
    for (const wake of [...this.#waiting]) wake()
  }

  #become(state: RequestState): void {
    this.#state = state
    this.endWaits()
  }
}
