import type { BrowserWindow as ElectronBrowserWindow, BrowserWindowConstructorOptions, Rectangle } from 'electron'
import { requireReady } from './readiness.ts'
import { WORK_AREA } from './screen.ts'
import { ElectronEvent, guardDestroyed, StrictEmitter } from './strict.ts'
import { WebContents } from './web-contents.ts'
import { checkWindowOptions } from './window-options.ts'

type Implemented =
  | 'blur' | 'close' | 'destroy' | 'focus' | 'getBounds' | 'getNormalBounds' | 'hide' | 'id' | 'isDestroyed' | 'isFocused' | 'isMaximized'
  | 'isMinimized' | 'isVisible' | 'loadURL' | 'maximize' | 'minimize' | 'restore' | 'setBounds' | 'show'

const windows = new Map<number, BrowserWindow>()
let lastId = 0
let focused: BrowserWindow | undefined

/** What the app object tells of windows. */
export const windowEvents: { emit: (event: string, window: BrowserWindow) => void; allClosed: () => void } = {
  emit() {},
  allClosed() {}
}

/** A window: a page, and a frame around it that nobody sees but that behaves like one. */
export class BrowserWindow extends StrictEmitter implements Pick<ElectronBrowserWindow, Implemented> {
  static override readonly events = [
    'blur', 'close', 'closed', 'focus', 'hide', 'maximize', 'minimize', 'move', 'ready-to-show', 'resize', 'restore', 'show',
    // Only Windows emits them.
    'query-session-end', 'session-end'
  ]
  readonly #id = ++lastId
  readonly #contents: WebContents
  readonly #minimum: readonly [number, number]
  #bounds: Rectangle
  #isMinimized = false
  #isMaximized = false
  #isVisible = false
  #isDestroyed = false

  constructor(options: BrowserWindowConstructorOptions = {}) {
    requireReady('Cannot create BrowserWindow before app is ready')
    super()
    checkWindowOptions(options)
    const { width = 800, height = 600, webPreferences = {} } = options
    this.#minimum = [options.minWidth ?? 0, options.minHeight ?? 0]
    const x = options.x ?? Math.round(WORK_AREA.x + (WORK_AREA.width - width) / 2)
    const y = options.y ?? Math.round(WORK_AREA.y + (WORK_AREA.height - height) / 2)
    this.#bounds = this.#fit({ x, y, width, height })
    const preload = {
      preload: webPreferences.preload,
      isPreloadedInFrames: webPreferences.nodeIntegrationInSubFrames ?? false,
      process: sandboxedProcess(webPreferences.additionalArguments ?? [])
    }
    windows.set(this.#id, this)
    this.#contents = new WebContents({ preload, size: this.#bounds })
    this.#contents.on('ready-to-show', () => this.#tell('ready-to-show'))
    this.#contents.on('destroyed', () => this.#closed())
    windowEvents.emit('browser-window-created', this)
    if (options.show ?? true) this.show()
  }

  static getAllWindows(): BrowserWindow[] {
    return [...windows.values()]
  }

  get id(): number {
    return this.#id
  }

  get webContents(): WebContents {
    return this.#contents
  }

  loadURL(url: string): Promise<void> {
    return this.#contents.loadURL(url)
  }

  show(): void {
    this.#appear()
    this.focus()
  }

  hide(): void {
    if (!this.#isVisible) return
    this.#isVisible = false
    this.blur()
    this.#tell('hide')
  }

  focus(): void {
    if (!this.#isVisible || focused === this) return
    focused?.blur()
    focused = this
    this.#tell('focus')
    windowEvents.emit('browser-window-focus', this)
  }

  blur(): void {
    if (focused !== this) return
    focused = undefined
    this.#tell('blur')
    windowEvents.emit('browser-window-blur', this)
  }

  isVisible(): boolean {
    return this.#isVisible && !this.#isMinimized
  }

  isFocused(): boolean {
    return focused === this
  }

  close(): void {
    const event = new ElectronEvent()
    this.emit('close', event)
    if (!event.defaultPrevented) this.destroy()
  }

  destroy(): void {
    void WebContents.destroy(this.#contents)
  }

  isDestroyed(): boolean {
    return this.#isDestroyed
  }

  minimize(): void {
    if (this.#isMinimized) return
    this.#isMinimized = true
    this.#tell('minimize')
    this.blur()
  }

  restore(): void {
    if (!this.#isMinimized) return
    this.#isMinimized = false
    this.#tell('restore')
    this.focus()
  }

  maximize(): void {
    if (!this.#isMaximized) {
      this.#isMaximized = true
      this.#tell('maximize')
      this.#resized()
    }
    this.#appear()
  }

  isMinimized(): boolean {
    return this.#isMinimized
  }

  isMaximized(): boolean {
    return this.#isMaximized
  }

  getBounds(): Rectangle {
    return this.#isMaximized ? { ...WORK_AREA } : { ...this.#bounds }
  }

  getNormalBounds(): Rectangle {
    return { ...this.#bounds }
  }

  setBounds(bounds: Partial<Rectangle>): void {
    const before = this.#bounds
    this.#bounds = this.#fit({ ...before, ...bounds })
    const { x, y, width, height } = this.#bounds
    if (x !== before.x || y !== before.y) this.#tell('move')
    if (width !== before.width || height !== before.height) this.#resized()
  }

  #tell(event: string): void {
    if (!this.#isDestroyed) this.emit(event, new ElectronEvent())
  }

  #appear(): void {
    if (this.#isVisible) return
    this.#isVisible = true
    this.#tell('show')
  }

  #resized(): void {
    WebContents.linkOf(this.#contents).resize(this.getBounds())
    this.#tell('resize')
  }

  #fit({ x, y, width, height }: Rectangle): Rectangle {
    for (const value of [x, y, width, height]) {
      if (!Number.isFinite(value)) throw new TypeError('Error processing argument at index 0, conversion failure')
    }
    const [minWidth, minHeight] = this.#minimum
    return { x: Math.round(x), y: Math.round(y), width: Math.max(Math.round(width), minWidth), height: Math.max(Math.round(height), minHeight) }
  }

  #closed(): void {
    if (this.#isDestroyed) return
    this.blur()
    this.#isDestroyed = true
    windows.delete(this.#id)
    this.emit('closed', new ElectronEvent())
    if (windows.size === 0) setImmediate(() => windowEvents.allClosed())
  }
}
guardDestroyed(BrowserWindow.prototype, ['destroy'])

/** What a sandboxed preload sees of its process. */
function sandboxedProcess(additionalArguments: readonly string[]): object {
  const { platform, arch, version, versions, execPath, pid, resourcesPath } = process
  return {
    platform, arch, version, versions, execPath, pid, resourcesPath,
    type: 'renderer',
    sandboxed: true,
    contextIsolated: true,
    env: process.env,
    argv: [execPath, '--type=renderer', ...additionalArguments]
  }
}
