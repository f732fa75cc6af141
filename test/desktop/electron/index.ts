/**
 * What `import ... from 'electron'` gives in the main process of the stand-in: of Electron on Linux what this app uses.
 * Whatever else is asked for is refused. What it cannot show: the sandbox and the fuses, how windows and trays look, pages
 * that refuse to be closed (`beforeunload`), and pages that see `http:` where Electron has the app's own scheme.
 */
export { app } from './app.ts'
export { BrowserWindow } from './browser-window.ts'
export { clipboard } from './clipboard.ts'
export { dialog } from './dialog.ts'
export { globalShortcut } from './global-shortcut.ts'
export { ipcMain } from './ipc-main.ts'
export { Menu, MenuItem } from './menu.ts'
export { nativeTheme } from './native-theme.ts'
export { Notification } from './notification.ts'
export { powerMonitor } from './power-monitor.ts'
export { powerSaveBlocker } from './power-save-blocker.ts'
export { protocol } from './protocol.ts'
export { safeStorage } from './safe-storage.ts'
export { screen } from './screen.ts'
export { session } from './session.ts'
export { shell } from './shell.ts'
export { Tray } from './tray.ts'
export { webContents } from './web-contents.ts'
