import { reasonOf } from '../bus/operator.ts'
import { CommandError, EXIT } from '../exit.ts'

/** Seconds: an answer that proves something must come sooner than anybody could find the code out. */
const PATIENCE = 15

const CODE_CURE = 'A code is good for one device and two minutes. If it is right, somebody may be in between: pair by the pin.'
const REACH_CURE = 'See whether the bus is shared, and at which address and with which pin: it shows them under Network.'

/** The endpoints of pairing on one bus, without a key. Everything that goes wrong is a CommandError. */
export class PairingWire {
  readonly url: string
  readonly #carry: typeof fetch
  readonly #signal: AbortSignal

  /** `carry`: what carries requests; `signal`: gives all of them up. */
  constructor(url: string, carry: typeof fetch, signal: AbortSignal) {
    this.url = url
    this.#carry = carry
    this.#signal = signal
  }

  get<T>(path: string): Promise<T> {
    return this.#send(path, { method: 'GET' }, PATIENCE)
  }

  /** `wait`: seconds that the bus was asked to hold the answer. */
  post<T>(path: string, body: object, wait = 0): Promise<T> {
    const headers = { 'Content-Type': 'application/json' }
    return this.#send(path, { method: 'POST', body: JSON.stringify(body), headers }, PATIENCE + wait)
  }

  async #send<T>(path: string, request: RequestInit, seconds: number): Promise<T> {
    let response: Response
    let answer: unknown
    try {
      const signal = AbortSignal.any([this.#signal, AbortSignal.timeout(seconds * 1000)])
      response = await this.#carry(this.url + path, { ...request, redirect: 'manual', signal })
      answer = await response.json().catch(() => null)
    } catch (error) {
      this.#signal.throwIfAborted()
      throw unreachable(this.url, error)
    }
    if (response.ok && typeof answer === 'object' && answer !== null) return answer as T
    const { error } = (answer ?? {}) as { readonly error?: { readonly code?: string; readonly message?: string } }
    throw this.#refusal(path, response.status, error?.code ?? '', error?.message ?? `it answered ${response.status}.`)
  }

  #refusal(path: string, status: number, code: string, message: string): CommandError {
    switch (code) {
      case 'invalid_code':
        return new CommandError(EXIT.notAllowed, `The bus does not take this code. ${message}`, CODE_CURE)
      case 'pairing_refused':
        return new CommandError(EXIT.notAllowed, 'This device was refused on the bus.')
      case 'not_found':
        return path === '/pair'
          ? new CommandError(EXIT.nothing, `The bus at ${this.url} shows no code now.`, 'Let it show one: Network, Pair a device.')
          : new CommandError(EXIT.timedOut, 'Nobody let this device in in time.', 'Pair again, with a new code.')
      default:
        return new CommandError(status >= 500 ? EXIT.unreachable : EXIT.refused, `The bus at ${this.url} refuses: ${message}`)
    }
  }
}

/** Whatever kept a request from being answered, as a sentence. */
export function unreachable(url: string, error: unknown): CommandError {
  return new CommandError(EXIT.unreachable, `${url} cannot be reached: ${reasonOf(error)}.`, REACH_CURE)
}
