import { canonicalPath, type QueryPairs } from '../signing.ts'
import { IntentBusError, IntentBusNetworkError } from './errors.ts'
import { monotonic, Patience, sleep } from './patience.ts'
import { networkError, redirected, refusalOf, type Refused } from './refusals.ts'
import { pauseBeforeRetry } from './retry.ts'
import type { Signer } from './signer.ts'

/** One request of the protocol. */
export interface Ask extends Refused {
  readonly method: 'GET' | 'POST'
  /** Percent-encoded, below the base URL; a path of that is a proxy's, which takes it away before the bus checks signatures. */
  readonly path: string
  readonly query?: QueryPairs | undefined
  readonly headers?: Readonly<Record<string, string>> | undefined
  /** Whether it may be sent again when its outcome is not known. */
  readonly mayRepeat?: boolean
  /** Seconds that the bus was asked to hold it. */
  readonly wait?: number | undefined
  readonly signal?: AbortSignal | undefined
}

/** An answer that is no refusal, read to its end. */
export interface Answer {
  readonly status: number
  readonly text: string
  /** Seconds from the request to the answer. */
  readonly took: number
  header(name: string): string | null
}

export interface RequestsOptions {
  /** Without a slash at its end. */
  readonly baseUrl: string
  readonly apiKey: string
  readonly signer: Signer | undefined
  /** Seconds. */
  readonly timeout: number
  readonly fetch: typeof fetch
}

/** Carries requests to one bus: signed, with a limit of patience, and again where that is safe. */
export class Requests {
  readonly #options: RequestsOptions

  constructor(options: RequestsOptions) {
    this.#options = options
  }

  get baseUrl(): string {
    return this.#options.baseUrl
  }

  /** Rejects with IntentBusError for refusals and where no answer comes, and with the reason of `ask.signal`. */
  async send(ask: Ask): Promise<Answer> {
    for (let attempt = 0; ; attempt++) {
      try {
        return await this.#attempt(ask)
      } catch (error) {
        const pause = ask.mayRepeat ? pauseBeforeRetry(error, attempt) : undefined
        if (pause === undefined) throw error
        await sleep(pause, ask.signal)
      }
    }
  }

  async #attempt(ask: Ask): Promise<Answer> {
    const patience = new Patience(this.#options.timeout + (ask.wait ?? 0), ask.signal)
    const startedAt = monotonic()
    try {
      const response = await this.open(ask, patience)
      const text = await this.#withPatience(patience, () => response.text())
      return { status: response.status, text, took: monotonic() - startedAt, header: (name) => response.headers.get(name) }
    } finally {
      patience.end()
    }
  }

  /** One attempt whose answer is read by the caller, while `patience` lasts. Rejects like `send`. */
  async open(ask: Ask, patience: Patience): Promise<Response> {
    const { method, path, query = [], body } = ask
    const url = this.#options.baseUrl + path + canonicalPath('', query)
    const headers = await this.#headers(ask)
    const response = await this.#withPatience(patience, () =>
      this.#options.fetch(url, {
        method,
        headers,
        ...(body === undefined ? {} : { body }),
        // A redirect would carry the key elsewhere, and the signature would not fit.
        redirect: 'manual',
        // Beside the key, a browser's cookies have no say.
        credentials: 'omit',
        signal: patience.signal
      })
    )
    if (response.ok) return response
    if (response.status < 400) throw redirected(this.#options.baseUrl, response)
    throw refusalOf(response, await this.#withPatience(patience, () => response.text()), ask)
  }

  /** The body of an answer as it arrives. Rejects like `send`; who stops reading closes the connection. */
  async *pieces(response: Response, patience: Patience): AsyncGenerator<Uint8Array> {
    const reader = response.body!.getReader()
    try {
      for (;;) {
        const { done, value } = await this.#withPatience(patience, () => reader.read())
        if (done) return
        yield value
      }
    } finally {
      // It may have failed already.
      await reader.cancel().catch(() => {})
    }
  }

  async #headers({ method, path, query = [], body = '', headers = {} }: Ask): Promise<Record<string, string>> {
    const { apiKey, signer } = this.#options
    const all: Record<string, string> = { ...headers, 'X-API-KEY': apiKey }
    if (body !== '') all['Content-Type'] = 'application/json'
    if (signer !== undefined) Object.assign(all, await signer.headers(method, path, query, body))
    const unfit = Object.keys(all).find((name) => !/^[ -~]*$/.test(all[name]!))
    if (unfit === undefined) return all
    throw new IntentBusError(`The value for ${unfit} holds characters that no header can carry.`, { code: 'invalid_header' })
  }

  async #withPatience<T>(patience: Patience, step: () => Promise<T>): Promise<T> {
    try {
      return await step()
    } catch (error) {
      if (patience.isOver) {
        throw new IntentBusNetworkError(`No answer from ${this.#options.baseUrl} in time.`, { code: 'timeout' })
      }
      if (patience.signal.aborted) throw patience.signal.reason
      throw networkError(this.#options.baseUrl, error)
    }
  }
}
