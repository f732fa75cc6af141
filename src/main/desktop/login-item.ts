import { app } from 'electron'
import { autostartPath, setAutostart } from './autostart-entry.ts'

/** Starts the app without its window. */
const HIDDEN_ARGUMENT = '--hidden'

/** Why the app cannot be started at login; undefined where it can. */
export function whyNoLoginItem(): string | undefined {
  const isBare = process.platform !== 'linux' && !app.isPackaged
  return isBare ? 'Only the installed app can be started at login.' : undefined
}

/** Has the app started at login, or not. Throws a sentence where the system does not take it. */
export function setStartAtLogin(isWanted: boolean): void {
  if (whyNoLoginItem() !== undefined) return
  if (process.platform === 'linux') {
    setLinux(isWanted)
    return
  }
  const item = { path: process.execPath, args: [HIDDEN_ARGUMENT] }
  if (app.getLoginItemSettings(item).openAtLogin === isWanted) return
  app.setLoginItemSettings({ ...item, openAtLogin: isWanted })
}

/** Whether the system started the app, and nobody asked for a window. */
export function wasStartedHidden(args: readonly string[]): boolean {
  if (args.includes(HIDDEN_ARGUMENT)) return true
  return process.platform === 'darwin' && app.getLoginItemSettings().wasOpenedAtLogin
}

function setLinux(isWanted: boolean): void {
  const path = autostartPath(process.env)
  // An AppImage runs from a mount that is gone after it; what starts it is its own file.
  const program = process.env.APPIMAGE ?? process.execPath
  // In development the program is Electron, which is told where the app is.
  const appArguments = app.isPackaged ? [] : [app.getAppPath()]
  try {
    setAutostart(path, isWanted ? [program, ...appArguments, HIDDEN_ARGUMENT] : undefined)
  } catch (error) {
    throw new Error(`Starting at login cannot be set: ${path} cannot be written (${(error as NodeJS.ErrnoException).code}).`)
  }
}
