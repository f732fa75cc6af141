import { setTimeout } from 'node:timers/promises'
import type { CdpSession } from './cdp.ts'
import { closeTarget, onTargetGone, openTarget } from './engine.ts'
import { FrameTree } from './frames.ts'
import { colorScheme, onColorScheme } from './color-scheme.ts'
import type { FromPage, ToPage } from './world/isolated-world.ts'
import { BINDING, ISOLATED_WORLD, isolatedWorldScript, mainWorldScript, RECEIVER, type PreloadOptions } from './world/scripts.ts'
import { createWire } from './world/wire.ts'

/** A size in device-independent pixels. */
export interface PageSize {
  readonly width: number
  readonly height: number
}

export interface PageLinkOptions {
  readonly preload: PreloadOptions
  readonly size: PageSize
  readonly processId: number
  readonly onMessage: (frameId: string, message: FromPage) => void
  /** The page is there, and has not begun yet. */
  readonly onSession: (session: CdpSession) => void
  readonly onPreloadError: (error: Error) => void
  readonly onGone: () => void
}

/** Milliseconds after which a page is told all the same. */
const HOLD_PATIENCE_MS = 2_000

/** A page of the browser behind a window: its frames and worlds, and what passes between them and the main process. */
export class PageLink {
  readonly frames: FrameTree
  readonly #options: PageLinkOptions
  readonly #session: Promise<CdpSession>
  /** The isolated world of each frame. */
  readonly #worlds = new Map<string, number>()
  readonly #wire = createWire()
  readonly #release: (() => void)[] = []
  #targetId: string | undefined
  #size: PageSize
  #isGone = false
  #held: Promise<void> = Promise.resolve()

  constructor(options: PageLinkOptions) {
    this.#options = options
    this.#size = options.size
    this.frames = new FrameTree(options.processId, (frame, channel, args) => this.send(frame, channel, args))
    this.#session = this.#open()
    this.#session.catch(() => {})
  }

  get targetId(): string | undefined {
    return this.#targetId
  }

  /** Resolves when the page can be told something. */
  get session(): Promise<CdpSession> {
    return this.#session
  }

  /** Sends a message to the preload of a frame. Throws at values that cannot be cloned. */
  send(frameId: string | undefined, channel: string, args: readonly unknown[]): void {
    this.tell(frameId, { kind: 'message', channel, args: this.encode(args) })
  }

  /** A copy as of `structuredClone`, as it is sent. Throws at functions and the like. */
  encode(value: unknown): unknown {
    try {
      return this.#wire.encode(structuredClone(value))
    } catch {
      throw new Error('An object could not be cloned.')
    }
  }

  decode(sent: unknown): unknown {
    return this.#wire.decode(sent)
  }

  /** What is told to a frame without a document yet, or no more, is lost. */
  tell(frameId: string | undefined, message: ToPage): void {
    const world = frameId === undefined ? undefined : this.#worlds.get(frameId)
    if (world === undefined) return
    const expression = `window[${JSON.stringify(RECEIVER)}](${JSON.stringify(JSON.stringify(message))})`
    const isLost = () => {}
    void Promise.all([this.#session, this.#held])
      .then(([session]) => session.send('Runtime.evaluate', { expression, contextId: world }))
      .catch(isLost)
  }

  /** Keeps back what is told from now on: a page that waits in the debugger hears, but cannot act on it. */
  hold(settled: Promise<void>): void {
    this.#held = Promise.race([settled, setTimeout(HOLD_PATIENCE_MS, undefined, { ref: false })])
  }

  resize(size: PageSize): void {
    this.#size = size
    void this.#command((session) => this.#applySize(session))
  }

  async close(): Promise<void> {
    this.#leave()
    await this.#session.catch(() => {})
    if (this.#targetId !== undefined) await closeTarget(this.#targetId).catch(() => {})
  }

  async #command(command: (session: CdpSession) => Promise<unknown>): Promise<void> {
    try {
      await command(await this.#session)
    } catch (error) {
      if (!this.#isGone) throw error
    }
  }

  async #open(): Promise<CdpSession> {
    const { id, session } = await openTarget()
    this.#targetId = id
    this.#release.push(onTargetGone((gone) => gone === id && this.#lost()), onColorScheme(() => void this.#command(applyColors)))
    this.#follow(session)
    // The page waits at its beginning and answers in order, so that nothing needs to be waited for in between.
    void session.send('Page.enable')
    void session.send('Page.setLifecycleEventsEnabled', { enabled: true })
    void session.send('Runtime.enable')
    void session.send('Runtime.addBinding', { name: BINDING, executionContextName: ISOLATED_WORLD })
    void session.send('Page.addScriptToEvaluateOnNewDocument', { source: mainWorldScript() })
    const source = this.#isolatedScript()
    void session.send('Page.addScriptToEvaluateOnNewDocument', { source, worldName: ISOLATED_WORLD })
    void session.send('Emulation.setFocusEmulationEnabled', { enabled: true })
    void this.#applySize(session)
    void applyColors(session)
    const { frameTree } = await session.send('Page.getFrameTree')
    this.frames.attach(frameTree.frame.id, null)
    this.#options.onSession(session)
    await session.send('Runtime.runIfWaitingForDebugger')
    return session
  }

  #isolatedScript(): string {
    const { preload, onPreloadError } = this.#options
    try {
      return isolatedWorldScript(preload)
    } catch (error) {
      onPreloadError(error as Error)
      return isolatedWorldScript({ ...preload, preload: undefined })
    }
  }

  #follow(session: CdpSession): void {
    session.on('Page.frameAttached', ({ frameId, parentFrameId }) => this.frames.attach(frameId, parentFrameId))
    session.on('Page.frameDetached', ({ frameId }) => this.frames.detach(frameId))
    session.on('Page.frameNavigated', ({ frame }) => {
      this.frames.attach(frame.id, frame.parentId ?? null)
      this.frames.commit(frame.id, frame.url + (frame.urlFragment ?? ''), frame.name)
    })
    session.on('Page.navigatedWithinDocument', ({ frameId, url }) => this.frames.commit(frameId, url))
    session.on('Runtime.executionContextCreated', ({ context: { id, name, auxData } }) => {
      if (name === ISOLATED_WORLD) this.#worlds.set((auxData as { frameId: string }).frameId, id)
    })
    session.on('Runtime.executionContextDestroyed', ({ executionContextId }) => {
      for (const [frame, id] of this.#worlds) if (id === executionContextId) this.#worlds.delete(frame)
    })
    session.on('Runtime.executionContextsCleared', () => this.#worlds.clear())
    session.on('Runtime.bindingCalled', ({ name, payload, executionContextId }) => {
      const frame = [...this.#worlds].find(([, id]) => id === executionContextId)?.[0]
      if (name !== BINDING || frame === undefined) return
      const message = JSON.parse(payload) as FromPage
      // A preload speaks before the browser tells of its document.
      this.frames.commit(frame, message.url)
      this.#options.onMessage(frame, message)
    })
  }

  #applySize(session: CdpSession): Promise<unknown> {
    return session.send('Emulation.setDeviceMetricsOverride', { ...this.#size, deviceScaleFactor: 1, mobile: false })
  }

  #lost(): void {
    if (this.#isGone) return
    this.#leave()
    this.#options.onGone()
  }

  #leave(): void {
    this.#isGone = true
    for (const release of this.#release) release()
    this.frames.detachAll()
  }
}

function applyColors(session: CdpSession): Promise<unknown> {
  return session.send('Emulation.setEmulatedMedia', { features: [{ name: 'prefers-color-scheme', value: colorScheme() }] })
}
