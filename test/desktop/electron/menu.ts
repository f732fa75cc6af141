import type { MenuItemConstructorOptions } from 'electron'
import { isAccelerator } from './accelerators.ts'
import { notImplemented, StrictEmitter, StrictObject } from './strict.ts'

type Type = NonNullable<MenuItemConstructorOptions['type']>

const TYPES: ReadonlySet<string> = new Set(['normal', 'separator', 'submenu', 'checkbox', 'radio', 'header', 'palette'])

/** The labels that roles give their items on Linux. */
const ROLES: Readonly<Record<string, string>> = {
  about: 'About', close: 'Close Window', copy: 'Copy', cut: 'Cut', delete: 'Delete', editmenu: 'Edit', filemenu: 'File', forcereload: 'Force Reload',
  help: 'Help', minimize: 'Minimize', paste: 'Paste', pasteandmatchstyle: 'Paste and Match Style', quit: 'Quit', redo: 'Redo', reload: 'Reload',
  resetzoom: 'Actual Size', selectall: 'Select All', toggledevtools: 'Toggle Developer Tools', togglefullscreen: 'Toggle Full Screen', undo: 'Undo',
  viewmenu: 'View', windowmenu: 'Window', zoom: 'Zoom', zoomin: 'Zoom In', zoomout: 'Zoom Out'
}

/** Roles that are a whole menu. */
const SUBMENUS: Readonly<Record<string, readonly string[]>> = {
  editmenu: ['undo', 'redo', 'cut', 'copy', 'paste', 'delete', 'selectall'],
  filemenu: ['quit'],
  viewmenu: ['reload', 'forcereload', 'toggledevtools', 'resetzoom', 'zoomin', 'zoomout', 'togglefullscreen'],
  windowmenu: ['minimize', 'zoom', 'close']
}

let lastCommand = 0

/** An item of a menu. */
export class MenuItem extends StrictObject {
  readonly commandId = ++lastCommand
  readonly id: string | undefined
  readonly type: Type
  readonly role: string | undefined
  readonly accelerator: string | undefined
  readonly submenu: Menu | undefined
  label: string
  enabled: boolean
  visible: boolean
  checked: boolean
  readonly #click: MenuItemConstructorOptions['click']

  constructor(options: MenuItemConstructorOptions) {
    super()
    const role = options.role?.toLowerCase()
    if (role !== undefined && !(role in ROLES)) notImplemented(`the role ${options.role} of menus on Linux`)
    const template = options.submenu ?? (role === undefined ? undefined : SUBMENUS[role]?.map((part) => ({ role: part as never })))
    this.submenu = Array.isArray(template) ? Menu.buildFromTemplate(template) : (template as Menu | undefined)
    this.type = options.type ?? (this.submenu === undefined ? 'normal' : 'submenu')
    if (!TYPES.has(this.type)) throw new Error(`Unknown menu item type: ${this.type}`)
    if (this.type === 'submenu' && !(this.submenu instanceof Menu)) throw new Error('Invalid submenu')
    if (options.accelerator && !isAccelerator(options.accelerator)) throw new Error(`Invalid accelerator: ${options.accelerator}`)
    this.id = options.id
    this.role = role
    this.accelerator = options.accelerator ?? undefined
    this.label = options.label ?? (role === undefined ? '' : ROLES[role]!)
    this.enabled = options.enabled ?? true
    this.visible = options.visible ?? true
    this.checked = options.checked ?? false
    this.#click = options.click
  }

  /** What a click does; an item that is not enabled takes none. */
  click(event: object = {}, window?: object, contents?: object): void {
    if (this.type === 'checkbox') this.checked = !this.checked
    if (this.role !== undefined) notImplemented(`a click on the role ${this.role}`)
    this.#click?.call(this, this as never, window as never, { ...event } as never)
    void contents
  }
}

/** A menu of the application, a tray or a window. */
export class Menu extends StrictEmitter {
  static override readonly events = ['menu-will-show', 'menu-will-close']
  static #application: Menu | null = null
  readonly items: MenuItem[] = []

  static buildFromTemplate(template: (MenuItemConstructorOptions | MenuItem)[]): Menu {
    if (!Array.isArray(template)) throw new TypeError('Invalid template for Menu: Menu template must be an array')
    const menu = new Menu()
    for (const item of template) {
      const isItem = typeof item === 'object' && item !== null && ['label', 'role', 'type'].some((name) => item[name as 'label'] !== undefined)
      if (!isItem) throw new TypeError('Invalid template for MenuItem: must have at least one of label, role or type')
      menu.append(item instanceof MenuItem ? item : new MenuItem(item))
    }
    return menu
  }

  static setApplicationMenu(menu: Menu | null): void {
    if (menu !== null && !(menu instanceof Menu)) throw new TypeError('Invalid menu')
    Menu.#application = menu
  }

  static getApplicationMenu(): Menu | null {
    return Menu.#application
  }

  append(item: MenuItem): void {
    this.items.push(item)
  }

  popup(): never {
    return notImplemented('Menu.popup')
  }
}
