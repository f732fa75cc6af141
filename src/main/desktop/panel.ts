import { screen, type BrowserWindow, type Rectangle } from 'electron'
import type { OwnWindows } from './own-windows.ts'
import { placePanel } from './panel-place.ts'

export interface PanelOptions {
  readonly windows: OwnWindows
  /** Where the tray's icon is; without size where the system does not tell. */
  readonly trayBounds: () => Rectangle
  readonly mayClose: () => boolean
}

const SIZE = { width: 380, height: 560 }
/** Hidden for so long, the panel is given up with its memory; before, what was typed is still there. */
const KEEP_MS = 60_000
/** A click on the tray takes the focus from an open panel first: it must not open it again. */
const TOGGLE_GUARD_MS = 250

/** The compact panel at the tray. It hides as soon as the user turns to something else. */
export class Panel {
  readonly #options: PanelOptions
  #window: BrowserWindow | undefined
  #giveUp: NodeJS.Timeout | undefined
  #hiddenAt = -Infinity

  constructor(options: PanelOptions) {
    this.#options = options
  }

  toggle(): void {
    if (this.#window?.isVisible() === true) this.hide()
    else if (performance.now() - this.#hiddenAt > TOGGLE_GUARD_MS) this.show()
  }

  show(): void {
    clearTimeout(this.#giveUp)
    if (this.#window === undefined) {
      const window = this.#open()
      window.once('ready-to-show', () => this.#present(window))
      this.#window = window
    } else {
      this.#present(this.#window)
    }
  }

  hide(): void {
    const window = this.#window
    if (window === undefined || !window.isVisible()) return
    window.hide()
    this.#hiddenAt = performance.now()
    clearTimeout(this.#giveUp)
    this.#giveUp = setTimeout(() => window.destroy(), KEEP_MS)
    this.#giveUp.unref()
  }

  #present(window: BrowserWindow): void {
    const tray = this.#options.trayBounds()
    const point = tray.width > 0 ? { x: tray.x, y: tray.y } : screen.getCursorScreenPoint()
    window.setBounds(placePanel(SIZE, tray, screen.getDisplayNearestPoint(point).workArea))
    window.show()
    window.focus()
  }

  #open(): BrowserWindow {
    const window = this.#options.windows.open('panel', {
      ...SIZE,
      title: 'Intent Bus',
      frame: false,
      resizable: false,
      minimizable: false,
      maximizable: false,
      fullscreenable: false,
      skipTaskbar: true,
      alwaysOnTop: true
    })
    window.on('blur', () => this.hide())
    window.webContents.on('before-input-event', (_event, { type, key }) => {
      if (type === 'keyDown' && key === 'Escape') this.hide()
    })
    window.on('close', (event) => {
      if (this.#options.mayClose()) return
      event.preventDefault()
      this.hide()
    })
    window.on('closed', () => {
      clearTimeout(this.#giveUp)
      this.#window = undefined
    })
    return window
  }
}
