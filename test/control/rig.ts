import type { Input, MethodName, Output } from '../../src/shared/control/contract.ts'
import type { ControlFailure, Envelope } from '../../src/shared/control/transport.ts'
import type { EventFrame } from '../../src/shared/control/event-frame.ts'
import type { HttpAnswer, HttpAsk } from '../support/http-client.ts'
import { ask } from '../support/http-client.ts'

/** A running bus as operators reach it by one transport, and as workers reach it. */
export interface Rig extends AsyncDisposable {
  /** Where workers reach it. */
  readonly url: string
  readonly mainKey: string
  send(method: string, input: unknown): Promise<Envelope>
  /** Hears frames until disposed of; resolves when the first has come. */
  listen(): Promise<Frames>
}

export interface Frames extends Disposable {
  /** The first frame, now or to come, that fits. */
  frame(fits: (frame: EventFrame) => boolean): Promise<EventFrame>
}

/** What tests do with a rig. */
export class Operating {
  readonly #rig: Rig

  constructor(rig: Rig) {
    this.#rig = rig
  }

  /** The value of a call that must go well. */
  async call<M extends MethodName>(method: M, input: Input<M>): Promise<Output<M>> {
    const envelope = await this.#rig.send(method, input)
    if (!envelope.ok) throw new Error(`${method}: ${envelope.error.code}: ${envelope.error.message}`)
    return envelope.value as Output<M>
  }

  /** Why a call was refused that must be. */
  async refusal(method: string, input: unknown): Promise<ControlFailure> {
    const envelope = await this.#rig.send(method, input)
    if (envelope.ok) throw new Error(`${method} was not refused`)
    return envelope.error
  }

  /** A request of a worker or publisher, with the main key where it says no other. */
  async request({ headers, ...request }: HttpAsk): Promise<HttpAnswer> {
    return ask(this.#rig.url, { method: 'POST', ...request, headers: { 'X-API-KEY': this.#rig.mainKey, ...headers } })
  }

  /** Claims as a worker; undefined when there is nothing. */
  async claim(goal: string, worker: string, headers: Readonly<Record<string, string>> = {}) {
    const path = `/claim?goal=${encodeURIComponent(goal)}`
    const { status, json } = await this.request({ path, headers: { 'X-Worker-ID': worker, ...headers } })
    return status === 200 ? (json as { id: string; claim_token: string }) : undefined
  }

  async fulfill({ id, claim_token }: { id: string; claim_token: string }, result: unknown = null): Promise<void> {
    await this.request({ path: `/fulfill/${id}`, body: { claim_token, result } })
  }

  async fail({ id, claim_token }: { id: string; claim_token: string }, error: string): Promise<void> {
    await this.request({ path: `/fail/${id}`, body: { claim_token, error } })
  }
}
