import type { BrowserWindow as ElectronBrowserWindow, BrowserWindowConstructorOptions, Rectangle } from 'electron'
import { requireReady } from './readiness.ts'
import { WORK_AREA } from './screen.ts'
import { ElectronEvent, guardDestroyed, StrictEmitter } from './strict.ts'
import { WebContents } from './web-contents.ts'
import { checkWindowOptions } from './window-options.ts'

type Implemented =
  | 'blur' | 'center' | 'close' | 'destroy' | 'focus' | 'getBounds' | 'getContentBounds' | 'getMinimumSize' | 'getNormalBounds' | 'getPosition'
  | 'getSize' | 'getTitle' | 'hide' | 'isAlwaysOnTop' | 'isDestroyed' | 'isFocused' | 'isFullScreen' | 'isMaximized' | 'isMinimized'
  | 'isResizable' | 'isVisible' | 'loadURL' | 'maximize' | 'minimize' | 'moveTop' | 'reload' | 'removeMenu' | 'restore' | 'setAlwaysOnTop'
  | 'setBackgroundColor' | 'setBounds' | 'setFullScreen' | 'setMenuBarVisibility' | 'setMinimumSize' | 'setPosition' | 'setSize'
  | 'setSkipTaskbar' | 'setTitle' | 'setVisibleOnAllWorkspaces' | 'show' | 'showInactive' | 'unmaximize'

type State = 'normal' | 'minimized' | 'maximized' | 'full-screen'

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
    'blur', 'close', 'closed', 'enter-full-screen', 'focus', 'hide', 'leave-full-screen', 'maximize', 'minimize', 'move', 'moved',
    'query-session-end', 'ready-to-show', 'resize', 'resized', 'responsive', 'restore', 'session-end', 'show', 'unmaximize', 'unresponsive'
  ]
  readonly #id = ++lastId
  readonly #contents: WebContents
  readonly #isResizable: boolean
  #minimum: readonly [number, number]
  #bounds: Rectangle
  #state: State = 'normal'
  #title: string
  #isVisible = false
  #isOnTop: boolean
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
    this.#title = options.title ?? 'Electron'
    this.#isOnTop = options.alwaysOnTop ?? false
    this.#isResizable = options.resizable ?? true
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

  static getFocusedWindow(): BrowserWindow | null {
    return focused ?? null
  }

  static fromId(id: number): BrowserWindow | null {
    return windows.get(id) ?? null
  }

  static fromWebContents(contents: WebContents): BrowserWindow | null {
    return [...windows.values()].find((window) => window.#contents === contents) ?? null
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

  reload(): void {
    this.#contents.reload()
  }

  show(): void {
    this.#appear()
    this.focus()
  }

  showInactive(): void {
    this.#appear()
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
    this.#contents.focus()
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
    return this.#isVisible && this.#state !== 'minimized'
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
    this.#enter('minimized', 'minimize')
    this.blur()
  }

  restore(): void {
    if (this.#state === 'minimized') this.#enter('normal', 'restore')
    this.focus()
  }

  maximize(): void {
    this.#enter('maximized', 'maximize')
    this.#appear()
  }

  unmaximize(): void {
    if (this.#state === 'maximized') this.#enter('normal', 'unmaximize')
  }

  setFullScreen(isWanted: boolean): void {
    if (isWanted) this.#enter('full-screen', 'enter-full-screen')
    else if (this.#state === 'full-screen') this.#enter('normal', 'leave-full-screen')
  }

  isMinimized(): boolean {
    return this.#state === 'minimized'
  }

  isMaximized(): boolean {
    return this.#state === 'maximized'
  }

  isFullScreen(): boolean {
    return this.#state === 'full-screen'
  }

  isResizable(): boolean {
    return this.#isResizable
  }

  getBounds(): Rectangle {
    return this.#state === 'maximized' || this.#state === 'full-screen' ? { ...WORK_AREA } : { ...this.#bounds }
  }

  getNormalBounds(): Rectangle {
    return { ...this.#bounds }
  }

  getContentBounds(): Rectangle {
    return this.getBounds()
  }

  setBounds(bounds: Partial<Rectangle>): void {
    const before = this.#bounds
    this.#bounds = this.#fit({ ...before, ...bounds })
    const { x, y, width, height } = this.#bounds
    if (x !== before.x || y !== before.y) this.#tell('move')
    if (width !== before.width || height !== before.height) this.#resized()
  }

  getPosition(): number[] {
    return [this.#bounds.x, this.#bounds.y]
  }

  setPosition(x: number, y: number): void {
    this.setBounds({ x, y })
  }

  getSize(): number[] {
    return [this.#bounds.width, this.#bounds.height]
  }

  setSize(width: number, height: number): void {
    this.setBounds({ width, height })
  }

  getMinimumSize(): number[] {
    return [...this.#minimum]
  }

  setMinimumSize(width: number, height: number): void {
    this.#minimum = [width, height]
  }

  center(): void {
    const { width, height } = this.#bounds
    this.setPosition(Math.round(WORK_AREA.x + (WORK_AREA.width - width) / 2), Math.round(WORK_AREA.y + (WORK_AREA.height - height) / 2))
  }

  getTitle(): string {
    return this.#title
  }

  setTitle(title: string): void {
    this.#title = title
  }

  isAlwaysOnTop(): boolean {
    return this.#isOnTop
  }

  setAlwaysOnTop(isWanted: boolean): void {
    this.#isOnTop = isWanted
  }

  // What only a window manager shows.
  moveTop(): void {}
  removeMenu(): void {}
  setBackgroundColor(_color: string): void {}
  setMenuBarVisibility(_isVisible: boolean): void {}
  setSkipTaskbar(_isSkipped: boolean): void {}
  setVisibleOnAllWorkspaces(_isVisible: boolean): void {}

  #tell(event: string): void {
    if (!this.#isDestroyed) this.emit(event, new ElectronEvent())
  }

  #appear(): void {
    if (this.#isVisible) return
    this.#isVisible = true
    this.#tell('show')
  }

  #enter(state: State, event: string): void {
    if (this.#state === state) return
    this.#state = state
    this.#tell(event)
    this.#resized()
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
