import { EventEmitter, once } from 'node:events'
import type { HandlerDetails } from 'electron'
import type { CdpSession } from './cdp.ts'
import { WELCOME, type Decision } from './engine.ts'
import type { PageLink } from './page-link.ts'
import type { PageLoading } from './page-loading.ts'
import type { PausedRequest } from './requests.ts'
import { fromWeb, toWeb } from './schemes.ts'
import { ElectronEvent } from './strict.ts'

export type OpenHandler = (details: HandlerDetails) => { readonly action: 'allow' | 'deny' }

export interface PageNavigationOptions {
  readonly link: PageLink
  readonly loading: PageLoading
  readonly emit: (event: string, ...args: unknown[]) => void
  /** A page asks to hand a URL of a foreign scheme to the system. */
  readonly onExternal: (url: string) => void
}

/** Schemes of which the browser asks the network, and so the app. */
const REQUESTED = ['http:', 'https:']
/** Schemes that the browser decides on without asking anybody. */
const INTERNAL = ['about:', 'blob:', 'data:', 'javascript:', 'file:']

/**
 * Milliseconds in which a page's word on what it wants arrives. The network asks by another way, which may be shorter, and
 * the page cannot be asked while it waits for an answer.
 */
const WORD_PATIENCE_MS = 250

/** Asks the app where its pages may go, by Electron's events and its handler of new windows. */
export class PageNavigation {
  openHandler: OpenHandler | null = null
  readonly #options: PageNavigationOptions
  /** Where frames themselves asked to go, as the browser names it. */
  readonly #requested = new Map<string, string>()
  /** What was decided on windows that this page opened, and that have not appeared yet. */
  readonly #decisions: Decision[] = []
  readonly #words = new EventEmitter()

  constructor(options: PageNavigationOptions) {
    this.#options = options
  }

  follow(session: CdpSession): void {
    session.on('Page.frameRequestedNavigation', ({ frameId, url, disposition }) => {
      if (disposition === 'currentTab') this.#note(frameId, url)
      this.#words.emit('word')
    })
    session.on('Page.windowOpen', ({ url, windowName, windowFeatures }) => {
      const features = windowFeatures.join(',')
      const disposition = features === '' ? 'foreground-tab' : 'new-window'
      const referrer = { url: '', policy: 'strict-origin-when-cross-origin' } as const
      const details: HandlerDetails = { url: fromWeb(url), frameName: windowName, features, disposition, referrer }
      const settled = Promise.withResolvers<void>()
      this.#options.link.hold(settled.promise)
      this.#decisions.push({ action: this.openHandler?.(details).action ?? 'allow', settle: settled.resolve })
      this.#words.emit('word')
    })
  }

  /** What was decided on the next window that this page opened. */
  async decision(): Promise<Decision> {
    await this.#hear(() => this.#decisions.length > 0)
    return this.#decisions.shift() ?? WELCOME
  }

  /** Whether a document may be loaded into its frame. */
  async mayGo({ frameId, request, redirectedRequestId }: PausedRequest): Promise<boolean> {
    const { link, loading } = this.#options
    const isMain = link.frames.isMain(frameId)
    if (redirectedRequestId !== undefined) return !this.#ask('will-redirect', frameId, request.url)
    if (isMain && loading.isExpected(request.url)) return true
    await this.#hear(() => this.#requested.get(frameId) === request.url)
    // What no page asked for comes from outside, as from the test itself, and is not the app's to decide.
    if (isMain && this.#requested.get(frameId) !== request.url) return true
    this.#requested.delete(frameId)
    if (this.#ask('will-frame-navigate', frameId, request.url)) return false
    return !isMain || !this.#ask('will-navigate', frameId, request.url)
  }

  async #hear(isSaid: () => boolean): Promise<void> {
    const signal = AbortSignal.timeout(WORD_PATIENCE_MS)
    while (!isSaid() && !signal.aborted) await once(this.#words, 'word', { signal }).catch(() => {})
  }

  #note(frameId: string, url: string): void {
    const { protocol } = new URL(url)
    if (REQUESTED.includes(protocol)) {
      this.#requested.set(frameId, url.split('#')[0]!)
      return
    }
    if (INTERNAL.includes(protocol)) return
    if (this.#ask('will-frame-navigate', frameId, url)) return
    const isMain = this.#options.link.frames.isMain(frameId)
    if (isMain && this.#ask('will-navigate', frameId, url)) return
    if (toWeb(url) === url) this.#options.onExternal(url)
    // Chromium knows nothing of the app's scheme, so that the page stays; Electron would go there.
    else if (isMain) void this.#options.loading.load(url).catch(() => {})
  }

  /** Emits an event that listeners may prevent; true when one did. */
  #ask(name: string, frameId: string, webUrl: string): boolean {
    const { frames } = this.#options.link
    const frame = frames.find(frameId)
    const url = fromWeb(webUrl)
    const isMainFrame = frames.isMain(frameId)
    const event = new ElectronEvent({ url, isSameDocument: false, isMainFrame, frame, initiator: frame })
    this.#options.emit(name, event, url, false, isMainFrame, frame?.processId, frame?.routingId)
    return event.defaultPrevented
  }
}
