import type { CdpSession } from './cdp.ts'
import { privilegesOf, toWeb } from './schemes.ts'

/** Chromium's numbers of its errors, as far as pages of an app meet them. */
const ERROR_NUMBERS: Readonly<Record<string, number>> = {
  ERR_FAILED: -2,
  ERR_ABORTED: -3,
  ERR_BLOCKED_BY_CLIENT: -20,
  ERR_CONNECTION_REFUSED: -102,
  ERR_INTERNET_DISCONNECTED: -106,
  ERR_UNKNOWN_URL_SCHEME: -302,
  ERR_INVALID_URL: -300
}

/** Schemes that Chromium itself can load. */
const BUILT_IN = ['http', 'https', 'data', 'about', 'blob', 'file']

/** A page that could not be loaded, in the words of Electron. */
export class LoadError extends Error {
  readonly code: string
  readonly errno: number
  readonly url: string

  constructor(code: string, url: string) {
    const errno = ERROR_NUMBERS[code] ?? -2
    super(`${code} (${errno}) loading '${url}'`)
    this.code = code
    this.errno = errno
    this.url = url
  }
}

interface Load extends PromiseWithResolvers<void> {
  readonly url: string
}

/** What the main process asks a page to load, one at a time. */
export class PageLoading {
  readonly #session: Promise<CdpSession>
  readonly #mainFrame: () => string | undefined
  readonly #emit: (event: string, ...args: unknown[]) => void
  #current: Load | undefined
  /** What the main process asked for, as the browser names it: no page's wish. */
  #expected: string | undefined
  #isLoading = false

  constructor(session: Promise<CdpSession>, mainFrame: () => string | undefined, emit: (event: string, ...args: unknown[]) => void) {
    this.#session = session
    this.#mainFrame = mainFrame
    this.#emit = emit
    session.then((ready) => this.#follow(ready), () => {})
  }

  get isLoading(): boolean {
    return this.#isLoading
  }

  /** Whether a main frame's request is what the main process asked for. */
  isExpected(webUrl: string): boolean {
    return this.#expected === webUrl.split('#')[0]
  }

  /** Resolves when the page is loaded. Rejects with LoadError. */
  async load(url: string): Promise<void> {
    this.#current?.reject(new LoadError('ERR_ABORTED', this.#current.url))
    const current = { url, ...Promise.withResolvers<void>() }
    current.promise.catch(() => {})
    this.#current = current
    const scheme = URL.parse(url)?.protocol.slice(0, -1)
    if (scheme === undefined) this.#fail(current, 'ERR_INVALID_URL')
    else if (!BUILT_IN.includes(scheme) && privilegesOf(scheme).standard === undefined) this.#fail(current, 'ERR_UNKNOWN_URL_SCHEME')
    else void this.#navigate(current)
    return current.promise
  }

  async #navigate(current: Load): Promise<void> {
    const webUrl = toWeb(current.url)
    this.#isLoading = true
    try {
      const session = await this.#session
      if (this.#current !== current) return
      this.#expected = webUrl.split('#')[0]
      const { errorText, loaderId } = await session.send('Page.navigate', { url: webUrl })
      if (errorText !== undefined) this.#fail(current, errorText.replace('net::', ''))
      else if (loaderId === undefined) this.#finish(current)
    } catch {
      // The window was destroyed while it loaded.
      this.#fail(current, 'ERR_ABORTED')
    }
  }

  #follow(session: CdpSession): void {
    session.on('Page.frameStartedLoading', ({ frameId }) => {
      if (frameId !== this.#mainFrame()) return
      this.#isLoading = true
      this.#emit('did-start-loading')
    })
    session.on('Page.frameStoppedLoading', ({ frameId }) => {
      if (frameId !== this.#mainFrame()) return
      this.#isLoading = false
      this.#emit('did-stop-loading')
    })
    session.on('Page.domContentEventFired', () => this.#emit('dom-ready'))
    session.on('Page.loadEventFired', () => {
      this.#isLoading = false
      this.#emit('did-finish-load')
      if (this.#current !== undefined) this.#finish(this.#current)
    })
  }

  #finish(current: Load): void {
    if (this.#current !== current) return
    this.#current = undefined
    this.#expected = undefined
    this.#isLoading = false
    current.resolve()
  }

  #fail(current: Load, code: string): void {
    const error = new LoadError(code, current.url)
    if (this.#current === current) {
      this.#current = undefined
      this.#expected = undefined
      this.#isLoading = false
      this.#emit('did-fail-load', error.errno, code, current.url, true)
    }
    current.reject(error)
  }
}
