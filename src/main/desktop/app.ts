import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { app, dialog } from 'electron'
import { APP_NAME } from '../app-info.ts'
import { dataDirectoryOf } from '../config.ts'
import { createLog, type Log } from '../log.ts'
import { registerContentScheme } from './content-protocol.ts'
import { findLink, LINK_SCHEME } from './links.ts'
import { wasStartedHidden } from './login-item.ts'
import { Shell } from './shell.ts'

/** How the app is known to Windows, and to installers (electron-builder.yml). */
const APP_USER_MODEL_ID = 'com.intentbus.desktop'

const EXIT_BAD_FOLDER = 2

/** The app's life cycle: one instance per data directory, which is the same folder that a headless bus uses. */
export function runDesktop(): void {
  const dataDir = dataDirectoryOf(process.env)
  const log = openFolder(dataDir)
  if (log === undefined) return
  app.setPath('userData', dataDir)
  // What Chromium keeps for itself stays out of the way of what the bus keeps.
  app.setPath('sessionData', join(dataDir, 'browser'))
  if (!app.requestSingleInstanceLock()) {
    // The other instance was told, with the arguments of this one.
    app.quit()
    return
  }
  app.enableSandbox()
  app.setAppUserModelId(APP_USER_MODEL_ID)
  registerContentScheme()
  void run(dataDir, log)
}

/** The folder with its log; undefined when it cannot be used, which was said, and the app ends. */
function openFolder(dataDir: string): Log | undefined {
  try {
    mkdirSync(join(dataDir, 'browser'), { recursive: true, mode: 0o700 })
    return createLog('info', join(dataDir, 'desktop.log'))
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? (error as Error).message
    dialog.showErrorBox(APP_NAME, `The folder ${dataDir} cannot be written to (${reason}); set BUS_DATA_DIR to one that can.`)
    app.exit(EXIT_BAD_FOLDER)
    return undefined
  }
}

async function run(dataDir: string, log: Log): Promise<void> {
  // macOS gives links as events, also before the app is ready.
  const links = [findLink(process.argv)]
  let follow = (link: string) => {
    links.push(link)
  }
  app.on('open-url', (event, url) => {
    event.preventDefault()
    follow(url)
  })
  await app.whenReady()
  if (app.isPackaged) app.setAsDefaultProtocolClient(LINK_SCHEME)
  const shell = new Shell(dataDir, log)
  app.on('second-instance', (_event, args) => shell.follow(findLink(args)))
  app.on('activate', () => shell.follow(undefined))
  // Without this the app would end with its last window.
  app.on('window-all-closed', () => {})
  await shell.start()
  follow = (link) => shell.follow(link)
  const link = links.findLast((candidate) => candidate !== undefined)
  if (link !== undefined || !shell.hasTray || !wasStartedHidden(process.argv)) shell.follow(link)
}
