import { screen, type BrowserWindow } from 'electron'
import type { Clock } from '../bus/clock.ts'
import type { Log } from '../log.ts'
import { navigate, type OwnWindows } from './own-windows.ts'
import { RestartBudget } from './restart-budget.ts'
import { clampBounds, type WindowStateFile } from './window-state.ts'

export interface MainWindowOptions {
  readonly windows: OwnWindows
  readonly state: WindowStateFile
  /** The app's icon, for where the system takes it from the window. */
  readonly icon: string
  readonly log: Log
  readonly clock: Clock
  /** Asked when the user closes the window; false keeps it open. */
  readonly mayClose: () => boolean
  /** The page ends again and again, and is not loaded any more by itself. Resolves with whether to try again. */
  readonly onHopeless: () => Promise<boolean>
}

const SIZE = { width: 1180, height: 780 }
const MIN_SIZE = { minWidth: 380, minHeight: 420 }
const MAX_RELOADS = 3
const RELOAD_WINDOW = 300

/** The window with the whole interface. There is at most one; closed, it costs nothing. */
export class MainWindow {
  readonly #options: MainWindowOptions
  readonly #reloads: RestartBudget
  #window: BrowserWindow | undefined

  constructor(options: MainWindowOptions) {
    this.#options = options
    this.#reloads = new RestartBudget(options.clock, MAX_RELOADS, RELOAD_WINDOW)
  }

  /** The window while there is one, for dialogs that belong to it. */
  get current(): BrowserWindow | undefined {
    return this.#window
  }

  /** Brings the window to the front, at a place of the interface where one is given. */
  show(hash?: string): void {
    if (this.#window === undefined) {
      this.#window = this.#open(hash)
      return
    }
    if (this.#window.isMinimized()) this.#window.restore()
    this.#window.show()
    this.#window.focus()
    if (hash !== undefined) navigate(this.#window, 'window', hash)
  }

  #open(hash: string | undefined): BrowserWindow {
    const { windows, state, icon } = this.#options
    const { bounds, isMaximized } = state.state
    const workAreas = screen.getAllDisplays().map(({ workArea }) => workArea)
    const place = bounds === null ? undefined : clampBounds(bounds, workAreas)
    const window = windows.open('window', { title: 'Intent Bus', icon, ...SIZE, ...MIN_SIZE, ...place }, hash)
    window.once('ready-to-show', () => {
      if (isMaximized) window.maximize()
      window.show()
    })
    window.on('close', (event) => {
      this.#keepState(window)
      if (!this.#options.mayClose()) event.preventDefault()
    })
    window.on('closed', () => (this.#window = undefined))
    window.webContents.on('render-process-gone', (_event, { reason }) => {
      this.#options.log.error({ reason }, 'the page of the window ended')
      if (reason !== 'clean-exit') void this.#reload(window)
    })
    return window
  }

  async #reload(window: BrowserWindow): Promise<void> {
    const isWanted = this.#reloads.take() || (await this.#options.onHopeless())
    if (window.isDestroyed()) return
    if (isWanted) window.webContents.reload()
    else window.destroy()
  }

  #keepState(window: BrowserWindow): void {
    try {
      this.#options.state.change({ bounds: window.getNormalBounds(), isMaximized: window.isMaximized() })
    } catch (err) {
      this.#options.log.warn({ err }, 'the state of the window could not be kept')
    }
  }
}
