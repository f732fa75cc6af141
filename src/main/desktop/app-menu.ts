import type { MenuItemConstructorOptions } from 'electron'

export interface AppMenuOptions {
  readonly platform: NodeJS.Platform
  /** Adds what only developers need. */
  readonly isDevelopment: boolean
  readonly open: (hash: string) => void
}

/**
 * The application's menu. It is made of roles as far as they go: on macOS copying and pasting work only by the menu, and
 * roles are in the user's language.
 */
export function appMenu({ platform, isDevelopment, open }: AppMenuOptions): MenuItemConstructorOptions[] {
  const settings: MenuItemConstructorOptions = { label: 'Settings…', accelerator: 'CmdOrCtrl+,', click: () => open('#/settings') }
  const publish: MenuItemConstructorOptions = { label: 'Publish…', accelerator: 'CmdOrCtrl+N', click: () => open('#/publish') }
  const separator: MenuItemConstructorOptions = { type: 'separator' }
  const development: MenuItemConstructorOptions[] = [{ role: 'reload' }, { role: 'toggleDevTools' }, separator]
  const view: MenuItemConstructorOptions = {
    label: 'View',
    submenu: [
      ...(isDevelopment ? development : []),
      { role: 'resetZoom' },
      { role: 'zoomIn' },
      { role: 'zoomOut' },
      separator,
      { role: 'togglefullscreen' }
    ]
  }
  if (platform !== 'darwin') {
    const file = [publish, settings, separator, { role: 'close' }, { role: 'quit' }] satisfies MenuItemConstructorOptions[]
    return [{ label: 'File', submenu: file }, { role: 'editMenu' }, view, { role: 'windowMenu' }]
  }
  const app: MenuItemConstructorOptions = {
    role: 'appMenu',
    submenu: [
      { role: 'about' },
      separator,
      settings,
      separator,
      { role: 'services' },
      separator,
      { role: 'hide' },
      { role: 'hideOthers' },
      { role: 'unhide' },
      separator,
      { role: 'quit' }
    ]
  }
  return [app, { label: 'File', submenu: [publish, { role: 'close' }] }, { role: 'editMenu' }, view, { role: 'windowMenu' }]
}
