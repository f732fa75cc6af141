import type { FromBus, HostService, HostServices, ToBus } from './bus-messages.ts'

/** The bus's side of what only the main thread can do: passes requests on and waits for their answers. */
export class HostRelay implements HostServices {
  readonly #send: (message: FromBus) => void
  readonly #waiting = new Map<number, PromiseWithResolvers<unknown>>()
  #lastId = 0

  constructor(send: (message: FromBus) => void) {
    this.#send = send
  }

  seal(text: string): Promise<string> {
    return this.#ask('seal', text) as Promise<string>
  }

  unseal(sealed: string): ReturnType<HostServices['unseal']> {
    return this.#ask('unseal', sealed) as ReturnType<HostServices['unseal']>
  }

  async show(what: Parameters<HostServices['show']>[0]): Promise<void> {
    await this.#ask('show', what)
  }

  async applySettings(settings: Parameters<HostServices['applySettings']>[0]): Promise<void> {
    await this.#ask('applySettings', settings)
  }

  /** Takes the answer to a request. */
  settle(message: Extract<ToBus, { kind: 'host-answer' | 'host-refusal' }>): void {
    const waiting = this.#waiting.get(message.id)
    this.#waiting.delete(message.id)
    if (message.kind === 'host-answer') waiting?.resolve(message.value)
    else waiting?.reject(new Error(message.message))
  }

  #ask(service: HostService, argument: unknown): Promise<unknown> {
    const id = ++this.#lastId
    const waiting = Promise.withResolvers<unknown>()
    this.#waiting.set(id, waiting)
    this.#send({ kind: 'host-request', id, service, argument })
    return waiting.promise
  }
}
