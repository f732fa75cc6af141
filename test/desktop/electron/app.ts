import { homedir, tmpdir } from 'node:os'
import { isAbsolute, join } from 'node:path'
import type { App as ElectronApp } from 'electron'
import { BrowserWindow, windowEvents } from './browser-window.ts'
import { startEngine, stopEngine } from './engine.ts'
import { becomeReady, requireNotReady } from './readiness.ts'
import { SingleInstance } from './single-instance.ts'
import { ElectronEvent, StrictEmitter } from './strict.ts'
import { onWebContents } from './web-contents.ts'

type Implemented =
  | 'enableSandbox' | 'exit' | 'getAppPath' | 'getPath' | 'getVersion' | 'isPackaged' | 'name' | 'quit' | 'requestSingleInstanceLock'
  | 'setAppUserModelId' | 'setPath' | 'whenReady'

/** What `package.json` says of the app. */
export interface AppInfo {
  readonly path: string
  readonly name: string
  readonly version: string
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** The life of the app on a Linux desktop. */
class App extends StrictEmitter implements Pick<ElectronApp, Implemented> {
  static override readonly events = [
    'before-quit', 'browser-window-blur', 'browser-window-created', 'browser-window-focus', 'quit', 'ready', 'second-instance',
    'web-contents-created', 'will-finish-launching', 'will-quit', 'window-all-closed',
    // Only macOS emits them.
    'activate', 'open-url'
  ]
  readonly isPackaged = false
  readonly #paths = new Map<string, string>([
    ['home', homedir()],
    ['temp', tmpdir()],
    ['appData', process.env.XDG_CONFIG_HOME || join(homedir(), '.config')],
    ['exe', process.execPath]
  ])
  readonly #ready = Promise.withResolvers<void>()
  #info: AppInfo = { path: '', name: '', version: '' }
  #instance: SingleInstance | undefined
  #isQuitting = false
  #isExiting = false

  /** Begins the app's life: its main script has been started, and `ready` comes next. */
  static launch(app: App, info: AppInfo): void {
    app.#info = info
    windowEvents.emit = (event, window) => app.emit(event, new ElectronEvent(), window)
    windowEvents.allClosed = () => app.#allClosed()
    onWebContents((contents) => app.emit('web-contents-created', new ElectronEvent(), contents))
  }

  static async becomeReady(app: App): Promise<void> {
    if (app.#isExiting) return
    app.emit('will-finish-launching')
    await startEngine(join(app.getPath('sessionData'), 'chromium'))
    if (app.#isExiting) return
    takeSignals(() => app.quit())
    becomeReady()
    app.emit('ready', new ElectronEvent(), {})
    app.#ready.resolve()
  }

  get name(): string {
    return this.#info.name
  }

  whenReady(): Promise<void> {
    return this.#ready.promise
  }

  getVersion(): string {
    return this.#info.version
  }

  getAppPath(): string {
    return this.#info.path
  }

  getPath(name: string): string {
    const userData = () => this.#paths.get('userData') ?? join(this.#paths.get('appData')!, this.#info.name)
    if (name === 'userData') return userData()
    if (name === 'sessionData') return this.#paths.get('sessionData') ?? userData()
    const path = this.#paths.get(name)
    if (path === undefined) throw new Error(`Failed to get '${name}' path`)
    return path
  }

  setPath(name: string, path: string): void {
    if (!isAbsolute(path)) throw new Error('Path must be absolute')
    if (name !== 'userData' && name !== 'sessionData' && !this.#paths.has(name)) throw new Error(`Failed to set path '${name}'`)
    this.#paths.set(name, path)
  }

  enableSandbox(): void {
    requireNotReady('app.enableSandbox() can only be called before app is ready')
  }

  requestSingleInstanceLock(additionalData: object = {}): boolean {
    this.#instance ??= new SingleInstance(this.getPath('userData'))
    const own = { argv: process.argv, workingDirectory: process.cwd(), additionalData }
    return this.#instance.take(own, (other) => {
      const tell = () => this.emit('second-instance', new ElectronEvent(), other.argv, other.workingDirectory, other.additionalData)
      void this.#ready.promise.then(tell)
    })
  }

  /** Only Windows knows it. */
  setAppUserModelId(_id: string): void {}

  quit(): void {
    if (this.#isQuitting || this.#isExiting) return
    const event = new ElectronEvent()
    this.emit('before-quit', event)
    if (event.defaultPrevented) return
    const windows = BrowserWindow.getAllWindows()
    if (windows.length === 0) {
      this.#shutDown()
      return
    }
    this.#isQuitting = true
    for (const window of windows) window.close()
    // A window that refuses to close ends the quitting.
    if (BrowserWindow.getAllWindows().length > 0) this.#isQuitting = false
  }

  exit(code = 0): void {
    if (this.#isExiting) return
    this.#isExiting = true
    for (const window of BrowserWindow.getAllWindows()) window.destroy()
    this.emit('quit', new ElectronEvent(), code)
    this.#instance?.release()
    stopEngine()
    process.exit(code)
  }

  #allClosed(): void {
    if (this.#isExiting) return
    if (this.#isQuitting) this.#shutDown()
    else if (this.listenerCount('window-all-closed') === 0) this.quit()
    else this.emit('window-all-closed')
  }

  #shutDown(): void {
    const event = new ElectronEvent()
    this.emit('will-quit', event)
    this.#isQuitting = false
    if (!event.defaultPrevented) this.exit(0)
  }
}

/**
 * Chromium sets handlers of signals while it starts, in the place of those that scripts set before; they quit. What
 * scripts set after that takes their place.
 */
function takeSignals(quit: () => void): void {
  for (const signal of SIGNALS) {
    process.removeAllListeners(signal)
    process.on(signal, quit)
    const yieldTo = (event: string | symbol) => {
      if (event !== signal) return
      process.off('newListener', yieldTo)
      // Not before the other listens: Node lets go of a signal that nobody listens for.
      queueMicrotask(() => process.off(signal, quit))
    }
    process.on('newListener', yieldTo)
  }
}

export const app = new App()

export function launchApp(info: AppInfo): void {
  App.launch(app, info)
}

export function makeAppReady(): Promise<void> {
  return App.becomeReady(app)
}
