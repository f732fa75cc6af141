import { isUnsent, tlsFetch } from './tls-fetch.ts'

/** Milliseconds for a handshake: less than a request has, so that there is time to look elsewhere. */
const CONNECT_MS = 5_000
/** Milliseconds in which a bus answers at an address, or is taken not to be there. */
const PROBE_MS = 2_000
/** Milliseconds after a search that found nothing. */
const SEARCH_AGAIN_MS = 10_000
/** Addresses that one search tries: anybody on a network may name some. */
const MAX_CANDIDATES = 32

export interface RoamingOptions {
  /** Where the bus was last, without a slash at its end. */
  readonly url: string
  /** Of its public key: what shows another is not this bus, wherever it is. */
  readonly pin: string
  /** Addresses where it may be, the likely ones first: asked for when it cannot be reached. */
  readonly candidates: () => AsyncIterable<readonly string[]>
  /** Hears of another address, at which its key was seen. */
  readonly onMove?: ((url: string) => void) | undefined
}

/** A bus that is known by its pin, and followed when its address changes. */
export class Roaming {
  readonly #options: RoamingOptions
  readonly #carry: typeof fetch
  #url: string
  #search: Promise<boolean> | undefined
  #notBefore = -Infinity

  /** Throws TypeError for a pin that is none. */
  constructor(options: RoamingOptions) {
    this.#options = options
    this.#carry = tlsFetch({ pin: options.pin }, CONNECT_MS)
    this.#url = options.url
  }

  /** Where it was seen last. */
  get url(): string {
    return this.#url
  }

  /**
   * Carries requests to the bus. They are made for the `url` of the options, as texts, and sent to where it is; one that could
   * not be sent is sent to where the bus was found meanwhile.
   */
  readonly fetch: typeof fetch = async (input, init) => {
    const path = String(input).slice(this.#options.url.length)
    const at = this.#url
    try {
      return await this.#carry(at + path, init)
    } catch (error) {
      const { signal } = init ?? {}
      signal?.throwIfAborted()
      const isThere = await unlessAborted(this.#findFrom(at), signal)
      if (!isThere || !isUnsent(error)) throw error
      return this.#carry(this.#url + path, init)
    }
  }

  /** Looks where the bus is, and whether it is anywhere. */
  locate(): Promise<boolean> {
    return this.#findFrom(this.#url)
  }

  /** Whether the bus is there, or elsewhere; one search at a time. */
  #findFrom(at: string): Promise<boolean> {
    if (this.#url !== at) return Promise.resolve(true)
    if (this.#search === undefined && performance.now() < this.#notBefore) return Promise.resolve(false)
    this.#search ??= this.#find().finally(() => (this.#search = undefined))
    return this.#search
  }

  async #find(): Promise<boolean> {
    // What keeps it from looking, as a file that cannot be read, is no better answer than why a request failed.
    const found = await this.#findAmong().catch(() => undefined)
    if (found === undefined) this.#notBefore = performance.now() + SEARCH_AGAIN_MS
    else if (found !== this.#url) {
      this.#url = found
      this.#options.onMove?.(found)
    }
    return found !== undefined
  }

  async #findAmong(): Promise<string | undefined> {
    const tried = new Set<string>()
    for await (const candidates of this.#options.candidates()) {
      const fresh = [...new Set([this.#url, ...candidates])].filter((url) => !tried.has(url)).slice(0, MAX_CANDIDATES - tried.size)
      for (const url of fresh) tried.add(url)
      const answers = await Promise.all(fresh.map((url) => this.#isAt(url)))
      const found = fresh[answers.indexOf(true)]
      if (found !== undefined) return found
    }
    return undefined
  }

  /** Any answer will do: the pin says whose it is. */
  async #isAt(url: string): Promise<boolean> {
    try {
      const response = await this.#carry(`${url}/health`, { signal: AbortSignal.timeout(PROBE_MS) })
      await response.arrayBuffer()
      return true
    } catch {
      return false
    }
  }
}

/** The same, but rejects with the signal's reason as soon as that is aborted. */
async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal | null | undefined): Promise<T> {
  if (!signal) return promise
  let onAbort = (): void => {}
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(signal.reason as Error)
    signal.addEventListener('abort', onAbort, { once: true })
  })
  try {
    return await Promise.race([promise, aborted])
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}
