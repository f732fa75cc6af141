import { Menu, nativeTheme, Tray, type Rectangle } from 'electron'
import type { BusPicture } from './bus-watch.ts'
import { resource } from './resources.ts'
import { statusLine, trayLook, trayMenu, type TrayActions, type TrayLook } from './tray-menu.ts'

/** The app's icon beside the clock, with its menu. */
export class BusTray {
  readonly #tray: Tray
  readonly #actions: TrayActions
  #look: TrayLook = 'normal'
  #shown = ''
  #menu = Menu.buildFromTemplate([])

  /** Throws where the system has no tray. */
  constructor(actions: TrayActions) {
    this.#actions = actions
    this.#tray = new Tray(iconPath(this.#look))
    this.#tray.on('click', () => actions.showPanel())
    // On macOS a menu that is set takes the left click, too; it belongs to the panel.
    if (process.platform === 'darwin') this.#tray.on('right-click', () => this.#tray.popUpContextMenu(this.#menu))
    nativeTheme.on('updated', () => this.#tray.setImage(iconPath(this.#look)))
  }

  get bounds(): Rectangle {
    return this.#tray.getBounds()
  }

  /** Shows the bus; menu and icon are only touched when they would look different. */
  show(picture: BusPicture): void {
    const { failures, templates, counts, status } = picture
    const { open, claimed } = counts
    const shown = JSON.stringify([statusLine(picture), status?.state, status?.isPaused, open, claimed, failures, templates])
    if (shown === this.#shown) return
    this.#shown = shown
    this.#menu = Menu.buildFromTemplate(trayMenu(picture, this.#actions))
    if (process.platform !== 'darwin') this.#tray.setContextMenu(this.#menu)
    this.#tray.setToolTip(`Intent Bus: ${statusLine(picture)}`)
    const look = trayLook(picture)
    if (look === this.#look) return
    this.#look = look
    this.#tray.setImage(iconPath(look))
  }
}

/** macOS colours an icon of this name itself; elsewhere it follows the theme. */
function iconPath(look: TrayLook): string {
  if (process.platform === 'darwin') return resource(`tray/${look}Template.png`)
  return resource(`tray/${look}-${nativeTheme.shouldUseDarkColors ? 'dark' : 'light'}.png`)
}
