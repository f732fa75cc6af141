import type { WebContents as ElectronWebContents } from 'electron'
import type { CdpSession } from './cdp.ts'
import { clipboard } from './clipboard.ts'
import { onPopup, WELCOME } from './engine.ts'
import type { WebFrameMain } from './frames.ts'
import { answerInvoke, receiveSend } from './ipc-main.ts'
import { PageLink, type PageSize } from './page-link.ts'
import { PageLoading } from './page-loading.ts'
import { PageNavigation, type OpenHandler } from './page-navigation.ts'
import { ownRequests } from './requests.ts'
import { fromWeb } from './schemes.ts'
import { checkPermission, requestPermission, type Asker } from './session.ts'
import { shell } from './shell.ts'
import { ElectronEvent, guardDestroyed, StrictEmitter, StrictObject } from './strict.ts'
import type { FromPage } from './world/isolated-world.ts'
import type { PreloadOptions } from './world/scripts.ts'

export interface WebContentsOptions {
  readonly preload: PreloadOptions
  readonly size: PageSize
}

type Implemented = 'id' | 'loadURL' | 'reload' | 'send' | 'getURL' | 'isLoadingMainFrame' | 'isDestroyed' | 'setWindowOpenHandler' | 'forcefullyCrashRenderer'

const all = new Map<number, WebContents>()
let lastId = 0
let announce: (contents: WebContents) => void = () => {}

/** The page of a window, as the main process sees it. */
export class WebContents extends StrictEmitter implements Pick<ElectronWebContents, Implemented> {
  static override readonly events = [
    'before-input-event', 'destroyed', 'did-fail-load', 'did-finish-load', 'did-navigate', 'did-navigate-in-page',
    'did-start-loading', 'did-stop-loading', 'dom-ready', 'preload-error', 'render-process-gone', 'will-attach-webview',
    'will-frame-navigate', 'will-navigate', 'will-redirect', 'ready-to-show'
  ]
  readonly id = ++lastId
  readonly #link: PageLink
  readonly #loading: PageLoading
  readonly #navigation: PageNavigation
  #isDestroyed = false

  constructor({ preload, size }: WebContentsOptions) {
    super()
    this.#link = new PageLink({
      preload,
      size,
      processId: 1_000 + this.id,
      onMessage: (frame, message) => this.#receive(frame, message),
      onSession: (page) => this.#follow(page),
      onPreloadError: (error) => this.#preloadFailed(preload.preload, error),
      onGone: () => WebContents.markDestroyed(this)
    })
    const emit = (event: string, ...args: unknown[]) => {
      if (!this.#isDestroyed) this.emit(event, ...(args[0] instanceof ElectronEvent ? args : [new ElectronEvent(), ...args]))
    }
    this.#loading = new PageLoading(this.#link.session, () => this.#link.frames.mainId, emit)
    const onExternal = (url: string) => void this.#openExternal(url)
    this.#navigation = new PageNavigation({ link: this.#link, loading: this.#loading, emit, onExternal })
    this.once('destroyed', ownRequests({ frames: this.#link.frames, mayGo: (request) => this.#navigation.mayGo(request) }))
    all.set(this.id, this)
    announce(this)
  }

  get mainFrame(): WebFrameMain | null {
    return this.#link.frames.main
  }

  loadURL(url: string): Promise<void> {
    return this.#loading.load(url)
  }

  reload(): void {
    void this.#link.session.then((page) => page.send('Page.reload')).catch(() => {})
  }

  forcefullyCrashRenderer(): void {
    // Whoever is gone does not answer.
    void this.#link.session.then((page) => page.send('Page.crash')).catch(() => {})
  }

  send(channel: string, ...args: unknown[]): void {
    if (typeof channel !== 'string') throw new TypeError('Missing required channel argument')
    this.#link.send(this.#link.frames.mainId, channel, args)
  }

  getURL(): string {
    return this.#link.frames.main?.url ?? ''
  }

  isLoadingMainFrame(): boolean {
    return this.#loading.isLoading
  }

  isDestroyed(): boolean {
    return this.#isDestroyed
  }

  setWindowOpenHandler(handler: Parameters<ElectronWebContents['setWindowOpenHandler']>[0]): void {
    this.#navigation.openHandler = handler as unknown as OpenHandler
  }

  static linkOf(contents: WebContents): PageLink {
    return contents.#link
  }

  static async destroy(contents: WebContents): Promise<void> {
    const closed = contents.#link.close()
    WebContents.markDestroyed(contents)
    await closed
  }

  static markDestroyed(contents: WebContents): void {
    if (contents.#isDestroyed) return
    contents.#isDestroyed = true
    all.delete(contents.id)
    contents.emit('destroyed', new ElectronEvent())
  }

  static navigationOf(contents: WebContents): PageNavigation {
    return contents.#navigation
  }

  #follow(page: CdpSession): void {
    this.#navigation.follow(page)
    page.on('Page.frameNavigated', ({ frame: { parentId, url, urlFragment } }) => {
      if (parentId === undefined) this.#tell('did-navigate', fromWeb(url + (urlFragment ?? '')), 200, 'OK')
    })
    page.on('Page.navigatedWithinDocument', ({ url, frameId }) => {
      this.#tell('did-navigate-in-page', fromWeb(url), this.#link.frames.isMain(frameId))
    })
    page.on('Page.lifecycleEvent', ({ name, frameId }) => {
      if (name === 'firstPaint' && this.#link.frames.isMain(frameId)) this.#tell('ready-to-show')
    })
    page.on('Inspector.targetCrashed', () => {
      this.#tell('render-process-gone', { reason: 'crashed', exitCode: 1 })
    })
  }

  #tell(event: string, ...args: unknown[]): void {
    if (!this.#isDestroyed) this.emit(event, new ElectronEvent(), ...args)
  }

  #receive(frameId: string, message: FromPage): void {
    if (this.#isDestroyed) return
    switch (message.kind) {
      case 'invoke':
        void this.#answer(frameId, message.id, () =>
          answerInvoke(this.#ipcEvent(frameId), message.channel, this.#link.decode(message.args) as unknown[])
        )
        break
      case 'send':
        receiveSend(this.#ipcEvent(frameId), message.channel, this.#link.decode(message.args) as unknown[])
        break
      case 'ask':
        void this.#answer(frameId, message.id, () => this.#decide(frameId, message))
        break
      case 'input':
        this.emit('before-input-event', new InputEvent(), message.input)
        break
      case 'preload-error':
        this.#preloadFailed('preload', new Error(message.message))
    }
  }

  async #answer(frameId: string, id: number, answer: () => Promise<unknown>): Promise<void> {
    try {
      const value = this.#link.encode(await answer())
      this.#link.tell(frameId, { kind: 'reply', id, value })
    } catch (error) {
      this.#link.tell(frameId, { kind: 'refusal', id, message: String(error) })
    }
  }

  #ipcEvent(frameId: string): ElectronEvent {
    const frame = this.#link.frames.find(frameId)
    const reply = (channel: string, ...args: unknown[]) => this.#link.send(frameId, channel, args)
    const event = new ElectronEvent({ type: 'frame', sender: this, processId: frame?.processId, frameId: frame?.routingId, ports: [], reply })
    // A frame that is gone when somebody looks is null.
    Object.defineProperty(event, 'senderFrame', { get: () => (frame?.detached === false ? frame : null), enumerable: true })
    return event
  }

  async #decide(frameId: string, { question, argument, url }: Extract<FromPage, { kind: 'ask' }>): Promise<unknown> {
    const asker = this.#asker(frameId, fromWeb(url))
    switch (question) {
      case 'request-permission': return requestPermission(argument, asker)
      case 'check-permission': return checkPermission(argument, asker)
      case 'write-clipboard': return clipboard.writeText(argument)
      case 'read-clipboard': return clipboard.readText()
    }
  }

  #asker(frameId: string, requestingUrl: string): Asker {
    return { contents: this, isMainFrame: this.#link.frames.isMain(frameId), requestingUrl }
  }

  async #openExternal(externalURL: string): Promise<void> {
    const frameId = this.#link.frames.mainId ?? ''
    const isAllowed = await requestPermission('openExternal', this.#asker(frameId, this.getURL()), { externalURL })
    if (isAllowed) await shell.openExternal(externalURL)
  }

  #preloadFailed(path: string | undefined, error: Error): void {
    process.stderr.write(`Unable to load preload script: ${path}\n${String(error)}\n`)
    this.#tell('preload-error', path, error)
  }
}
guardDestroyed(WebContents.prototype, [])

/** Keys were already given to the page when the main process hears of them here. */
class InputEvent extends ElectronEvent {
  override preventDefault(): never {
    throw new Error('The stand-in for Electron cannot keep keys from a page.')
  }
}

/** Hears of every page before it does anything. */
export function onWebContents(hear: (contents: WebContents) => void): void {
  announce = hear
}

class WebContentsModule extends StrictObject {
  getAllWebContents(): WebContents[] {
    return [...all.values()]
  }

}

export const webContents = new WebContentsModule()

onPopup(async ({ opener }) => {
  const contents = [...all.values()].find((candidate) => WebContents.linkOf(candidate).targetId === opener)
  return contents === undefined ? WELCOME : WebContents.navigationOf(contents).decision()
})
