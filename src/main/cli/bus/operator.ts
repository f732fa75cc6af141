import type { Input, MethodName, Output } from '../../../shared/control/contract.ts'
import { ControlError, type ControlFailure } from '../../../shared/control/transport.ts'
import type { EventFrame } from '../../../shared/control/event-frame.ts'
import { EventStreamReader } from '../../../shared/client/event-stream.ts'
import { Patience } from '../../../shared/client/patience.ts'
import { Signer } from '../../../shared/client/signer.ts'
import { operatorHeaders, type CredentialSource, type OperatorSecret } from './credentials.ts'

/** Below the bus's address. */
const PATH = '/admin/control/'
/** Seconds that an answer may take. */
const PATIENCE = 30
/** The same for what goes through all intents: of a million it takes minutes, and node's own fetch gives up after five. */
const BULK_PATIENCE = 300
const BULKY: ReadonlySet<MethodName> = new Set(['intents.bulk', 'backups.make', 'backups.newest', 'backups.restore'])
/** Seconds: the bus says something every 15. */
const SILENCE = 40

/** The control contract over HTTP, with the credentials of an operator. */
export class Operator {
  readonly #base: string
  readonly #headers: Readonly<Record<string, string>>
  readonly #signer: Signer | undefined
  readonly #carry: typeof fetch
  readonly #signal: AbortSignal
  readonly #seconds: number

  /** `signal`: gives all calls up. `seconds`: how long an answer may take, but for what goes through all intents. */
  constructor(
    { url, fetch }: Pick<CredentialSource, 'url' | 'fetch'>,
    secret: OperatorSecret,
    signal: AbortSignal,
    seconds = PATIENCE
  ) {
    this.#base = url + PATH
    this.#headers = operatorHeaders(secret)
    this.#signer = secret.kind === 'key' ? new Signer(secret.secret) : undefined
    this.#carry = fetch
    this.#signal = signal
    this.#seconds = seconds
  }

  /** Rejects with ControlError: a refusal of the bus, or `unreachable`, also where no answer came in time. */
  async call<M extends MethodName>(method: M, input: Input<M>): Promise<Output<M>> {
    const headers = { 'Content-Type': 'application/json' }
    const seconds = BULKY.has(method) ? BULK_PATIENCE : this.#seconds
    const patience = new Patience(seconds, this.#signal)
    try {
      const response = await this.#fetch(method, { method: 'POST', body: JSON.stringify(input), headers }, patience, seconds)
      const answer = (await response.json().catch(() => null)) as { value: Output<M> } | null
      if (answer !== null) return answer.value
      this.#signal.throwIfAborted()
      if (patience.isOver) throw tooLate(seconds)
      const message = `What answers at ${this.#base} is no Intent Bus, or broke off.`
      throw new ControlError({ code: 'unexpected_answer', message })
    } finally {
      patience.end()
    }
  }

  /** What happens, from now on until the connection ends or breaks. Rejects with ControlError. */
  async *frames(): AsyncGenerator<EventFrame> {
    const patience = new Patience(SILENCE, this.#signal)
    try {
      const response = await this.#fetch('events', {}, patience, SILENCE)
      const reader = new EventStreamReader()
      const decoder = new TextDecoder()
      for await (const bytes of response.body as unknown as AsyncIterable<Uint8Array>) {
        patience.restart(SILENCE)
        for (const { data } of reader.read(decoder.decode(bytes, { stream: true }))) yield JSON.parse(data) as EventFrame
      }
    } catch (error) {
      if (patience.isOver) throw tooLate(SILENCE)
      throw error
    } finally {
      patience.end()
    }
  }

  async #fetch(name: string, request: RequestInit, patience: Patience, seconds: number): Promise<Response> {
    let response: Response
    try {
      const { method = 'GET', body = '' } = request
      const signature = await this.#signer?.headers(method, PATH + name, [], body as string)
      const headers = { ...this.#headers, ...signature, ...(request.headers as Record<string, string> | undefined) }
      // Whoever answers with another address must not be sent the password there.
      response = await this.#carry(this.#base + name, { ...request, signal: patience.signal, headers, redirect: 'error' })
    } catch (error) {
      this.#signal.throwIfAborted()
      if (patience.isOver) throw tooLate(seconds)
      throw new ControlError({ code: 'unreachable', message: reasonOf(error) })
    }
    if (response.ok) return response
    const refusal = await refusalOf(response)
    this.#signal.throwIfAborted()
    throw patience.isOver ? tooLate(seconds) : refusal
  }
}

function tooLate(seconds: number): ControlError {
  return new ControlError({ code: 'unreachable', message: `no answer within ${seconds} seconds` })
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
