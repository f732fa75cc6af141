import type { Input, MethodName, Output } from '../../../shared/control/contract.ts'
import { ControlError, type ControlFailure } from '../../../shared/control/transport.ts'
import type { EventFrame } from '../../../shared/control/views.ts'
import { EventStreamReader } from '../../../shared/client/event-stream.ts'
import { Patience } from '../../../shared/client/patience.ts'
import { operatorHeaders, type OperatorSecret } from './credentials.ts'

/** Seconds: the bus says something every 15. */
const SILENCE = 40

/** The control contract over HTTP, with the credentials of an operator. */
export class Operator {
  readonly #base: string
  readonly #headers: Readonly<Record<string, string>>
  readonly #signal: AbortSignal

  /** `signal`: gives all calls up. */
  constructor(url: string, secret: OperatorSecret, signal: AbortSignal) {
    this.#base = `${url}/admin/control/`
    this.#headers = operatorHeaders(secret)
    this.#signal = signal
  }

  /** Rejects with ControlError: a refusal of the bus, or `unreachable`. */
  async call<M extends MethodName>(method: M, input: Input<M>): Promise<Output<M>> {
    const headers = { 'Content-Type': 'application/json' }
    const response = await this.#fetch(method, { method: 'POST', body: JSON.stringify(input), headers })
    const answer = (await response.json().catch(() => null)) as { value: Output<M> } | null
    if (answer !== null) return answer.value
    this.#signal.throwIfAborted()
    const message = `What answers at ${this.#base} is no Intent Bus, or broke off.`
    throw new ControlError({ code: 'unexpected_answer', message })
  }

  /** What happens, from now on until the connection ends or breaks. Rejects with ControlError. */
  async *frames(): AsyncGenerator<EventFrame> {
    const patience = new Patience(SILENCE, this.#signal)
    try {
      const response = await this.#fetch('events', { signal: patience.signal })
      const reader = new EventStreamReader()
      const decoder = new TextDecoder()
      for await (const bytes of response.body as unknown as AsyncIterable<Uint8Array>) {
        patience.restart(SILENCE)
        for (const { data } of reader.read(decoder.decode(bytes, { stream: true }))) yield JSON.parse(data) as EventFrame
      }
    } finally {
      patience.end()
    }
  }

  async #fetch(name: string, request: RequestInit): Promise<Response> {
    let response: Response
    try {
      const headers = { ...this.#headers, ...(request.headers as Record<string, string> | undefined) }
      // Whoever answers with another address must not be sent the password there.
      response = await fetch(this.#base + name, { signal: this.#signal, ...request, headers, redirect: 'error' })
    } catch (error) {
      this.#signal.throwIfAborted()
      throw new ControlError({ code: 'unreachable', message: reasonOf(error) })
    }
    if (!response.ok) throw await refusalOf(response)
    return response
  }
}

/** Why a fetch did not get through: its own message only says that it did not. */
export function reasonOf(error: unknown): string {
  const { cause, message } = error as Error & { readonly cause?: { readonly code?: string; readonly message?: string } }
  return cause?.code ?? (cause?.message || message)
}

/** A refusal in the shape of SPEC 11, or whatever a proxy in between says instead. */
async function refusalOf(response: Response): Promise<ControlError> {
  const body = (await response.json().catch(() => undefined)) as { error?: ControlFailure } | undefined
  if (typeof body?.error?.message === 'string') return new ControlError(body.error)
  const code = response.status === 401 ? 'unauthorized' : response.status === 404 ? 'not_found' : 'unexpected_answer'
  return new ControlError({ code, message: `The bus answered ${response.status}, which says no more: is this an Intent Bus?` })
}
