import type { Input, MethodName, Output } from '../../../shared/control/contract.ts'
import { ControlError, type ControlFailure, type ControlTransport } from '../../../shared/control/transport.ts'
import type { EventFrame } from '../../../shared/control/event-frame.ts'

/** A browser's session with the bus. */
export interface BrowserSession {
  /** Whether there is one. Rejects with ControlError when the bus does not tell. */
  isOpen(): Promise<boolean>
  /** Rejects with ControlError: `unauthorized` for a wrong password. */
  login(password: string): Promise<void>
  logout(): Promise<void>
  /**
   * Asks to be let in with a code that the bus shows; `name`: what this device is called. Rejects with ControlError:
   * `invalid_code` for one that does not count.
   */
  askToPair(code: string, name: string): Promise<PairingTicket>
  /**
   * Whether somebody has let this device in, which gives it a session; waits for that half a minute. Rejects with ControlError:
   * `pairing_refused` when somebody has said no, `not_found` when nobody has decided in time.
   */
  isLetIn(ticket: PairingTicket): Promise<boolean>
  /** Hears that there is no session, or that it is over. */
  onEnd: () => void
}

/** By what a device asks again whether it was let in. */
export interface PairingTicket {
  readonly request: string
  readonly token: string
}

/** Milliseconds between two attempts to hear events again: doubled each time, up to the second. */
const RETRY_MS = { first: 500, last: 15_000 } as const

/** Where the page keeps its half of the session's secret. The cookie has the other one, which goes to every port of the host. */
const SESSION_KEY = 'intent-bus-session'

/** The contract over HTTP, for browsers. Addresses are relative to the page's, so that a proxy may put it anywhere. */
export class HttpTransport implements ControlTransport, BrowserSession {
  readonly #base: string
  onEnd: () => void = () => {}

  /** `page`: the address of the interface; the contract lies below it. */
  constructor(page: string) {
    this.#base = new URL('control/', page).href
  }

  async call<M extends MethodName>(method: M, input: Input<M>): Promise<Output<M>> {
    const response = await this.#post(method, input)
    if (response.ok) return ((await response.json()) as { value: Output<M> }).value
    if (response.status === 401) this.onEnd()
    throw await refusalOf(response)
  }

  async isOpen(): Promise<boolean> {
    const response = await this.#fetch('session', {})
    if (!response.ok) throw await refusalOf(response)
    return ((await response.json()) as { value: { isOpen: boolean } }).value.isOpen
  }

  async login(password: string): Promise<void> {
    const response = await this.#post('login', { password })
    if (!response.ok) throw await refusalOf(response)
    const { value } = (await response.json()) as { value: { session: string } }
    localStorage.setItem(SESSION_KEY, value.session)
  }

  async logout(): Promise<void> {
    const response = await this.#post('logout', {})
    if (!response.ok) throw await refusalOf(response)
    localStorage.removeItem(SESSION_KEY)
    this.onEnd()
  }

  async askToPair(code: string, name: string): Promise<PairingTicket> {
    const response = await this.#post('pair', { code, name })
    if (!response.ok) throw await refusalOf(response)
    const { request, token } = (await response.json()) as PairingTicket
    return { request, token }
  }

  async isLetIn(ticket: PairingTicket): Promise<boolean> {
    const response = await this.#post('pair/wait', ticket)
    if (!response.ok) throw await refusalOf(response)
    if (response.status === 202) return false
    const { session } = (await response.json()) as { session: string }
    localStorage.setItem(SESSION_KEY, session)
    return true
  }

  listen(onFrame: (frame: EventFrame) => void, onState: (isLive: boolean) => void): () => void {
    let source: EventSource
    let timer: ReturnType<typeof setTimeout> | undefined
    let delay: number = RETRY_MS.first
    let hasGap = false
    const open = (): void => {
      // It sends no headers of our own.
      source = new EventSource(`${this.#base}events?session=${sessionHalf()}`)
      source.onopen = () => {
        delay = RETRY_MS.first
        onState(true)
      }
      source.onmessage = ({ data }: MessageEvent<string>) => {
        const frame = JSON.parse(data) as EventFrame
        onFrame(hasGap ? { ...frame, missed: frame.missed + 1 } : frame)
        hasGap = false
      }
      source.onerror = () => {
        onState(false)
        // The browser itself tries again after a broken connection, but not after a refusal.
        if (source.readyState !== EventSource.CLOSED) return
        hasGap = true
        timer = setTimeout(open, delay)
        delay = Math.min(delay * 2, RETRY_MS.last)
        // An EventSource does not tell why it was refused; a call finds out whether the session is over.
        this.call('status.get', {}).catch(() => {})
      }
    }
    open()
    return () => {
      clearTimeout(timer)
      source.close()
    }
  }

  #post(name: string, body: unknown): Promise<Response> {
    return this.#fetch(name, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) })
  }

  async #fetch(name: string, request: RequestInit & { readonly headers?: Record<string, string> }): Promise<Response> {
    try {
      const headers = { ...request.headers, 'X-Intent-Session': sessionHalf() }
      return await fetch(this.#base + name, { ...request, headers })
    } catch {
      throw new ControlError({ code: 'unreachable', message: 'The bus does not answer. See whether it runs and whether this device can reach it.' })
    }
  }
}

/** Read each time: another window may have logged in anew. */
function sessionHalf(): string {
  return localStorage.getItem(SESSION_KEY) ?? ''
}

/** A refusal in the shape of SPEC 11, or whatever a proxy in between says instead. */
async function refusalOf(response: Response): Promise<ControlError> {
  const body = (await response.json().catch(() => undefined)) as { error?: ControlFailure } | undefined
  if (typeof body?.error?.message === 'string') return new ControlError(body.error)
  return new ControlError({ code: 'unexpected_answer', message: `The bus answered ${response.status} ${response.statusText}, which says no more.` })
}
