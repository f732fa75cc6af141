import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { app, clipboard, dialog, Menu, Notification, shell as electronShell, type MessageBoxOptions } from 'electron'
import type { Recovery } from '../../shared/control/backup-views.ts'
import type { SettingName } from '../../shared/control/settings.ts'
import type { BusStatus } from '../../shared/control/status-views.ts'
import { APP_NAME } from '../app-info.ts'
import { systemClock } from '../bus/clock.ts'
import { THREAD_LIMITS } from '../bus/memory.ts'
import { flushLog, type Log } from '../log.ts'
import { appMenu } from './app-menu.ts'
import { BusClient } from './bus-client.ts'
import type { BusThreadData } from './bus-messages.ts'
import { BusWatch } from './bus-watch.ts'
import { serveContent } from './content-protocol.ts'
import { DeadNotices } from './dead-notices.ts'
import { IpcDoor } from './ipc-door.ts'
import { intentPlace, readLink } from './links.ts'
import { whyNoLoginItem } from './login-item.ts'
import { MainWindow } from './main-window.ts'
import { Notifier } from './notifier.ts'
import { OwnWindows } from './own-windows.ts'
import { Panel } from './panel.ts'
import { Power } from './power.ts'
import { Quitting } from './quitting.ts'
import { findQuitQuestion } from './quit-question.ts'
import { built, resource } from './resources.ts'
import { ShellServices } from './shell-services.ts'
import { PanelShortcut } from './shortcut.ts'
import type { TrayActions } from './tray-menu.ts'
import { hasTray } from './tray-support.ts'
import { BusTray } from './tray.ts'
import { guardWindows } from './window-guard.ts'
import { WindowStateFile } from './window-state.ts'

/** Milliseconds that requests under way get when the app quits. */
const GRACE_MS = 3_500
const LOG_PATIENCE_MS = 200

/** The app around the bus: windows, tray, notifications, and the way out. It must be made when the app is ready. */
export class Shell {
  readonly #dataDir: string
  readonly #logFile: string
  readonly #log: Log
  readonly #bus: BusClient
  readonly #services: ShellServices
  readonly #windows = new OwnWindows()
  readonly #state: WindowStateFile
  readonly #main: MainWindow
  readonly #panel: Panel
  readonly #notifier = new Notifier((hash) => this.#main.show(hash))
  readonly #quitting: Quitting
  readonly #power: Power
  #tray: BusTray | undefined

  constructor(dataDir: string, log: Log) {
    this.#dataDir = dataDir
    this.#logFile = join(dataDir, 'bus.log')
    this.#log = log
    this.#state = new WindowStateFile(join(dataDir, 'window-state.json'))
    this.#panel = new Panel({
      windows: this.#windows,
      trayBounds: () => this.#tray?.bounds ?? { x: 0, y: 0, width: 0, height: 0 },
      mayClose: () => this.#quitting.isUnderWay
    })
    this.#main = new MainWindow({
      windows: this.#windows,
      state: this.#state,
      icon: resource('icons/256x256.png'),
      log,
      clock: systemClock,
      mayClose: () => this.#mayClose(),
      onHopeless: () => this.#askAboutPage()
    })
    this.#services = new ShellServices({
      shortcut: new PanelShortcut(() => this.#panel.toggle()),
      logFile: this.#logFile,
      dataDir
    })
    this.#bus = new BusClient({
      spawn: (recovery) => this.#spawn(recovery),
      services: this.#services,
      dataDir,
      logFile: this.#logFile,
      log,
      clock: systemClock
    })
    this.#power = new Power({ tell: (what) => this.#bus.tellPower(what), isWanted: () => this.#services.settings.keepAwake })
    this.#quitting = new Quitting({ ask: () => this.#askToQuit(), close: () => this.#close() })
  }

  get hasTray(): boolean {
    return this.#tray !== undefined
  }

  /** Starts the bus, and puts up everything but the window. */
  async start(): Promise<void> {
    const open = (hash: string) => this.#main.show(hash)
    this.#quitting.listenToSystem()
    this.#power.listen()
    serveContent(built('renderer'))
    guardWindows({ windows: this.#windows, log: this.#log, open })
    new IpcDoor({ bus: this.#bus, windows: this.#windows, log: this.#log }).open()
    Menu.setApplicationMenu(Menu.buildFromTemplate(appMenu({ platform: process.platform, isDevelopment: !app.isPackaged, open })))
    this.#tray = await this.#putUpTray()
    const notices = new DeadNotices(systemClock, (notice) => this.#notifier.show(notice))
    const watch = new BusWatch(
      this.#bus,
      systemClock,
      (picture) => {
        this.#tray?.show(picture)
        this.#power.follow(picture)
      },
      (frame) => {
        if (this.#services.settings.notifyDead) notices.take(frame)
      }
    )
    watch.start()
    this.#bus.start()
  }

  /** Goes where a link of the app leads; without one, to the window. */
  follow(link: string | undefined): void {
    const destination = link === undefined ? undefined : readLink(link)
    if (link !== undefined && destination === undefined) this.#log.warn({ link: link.slice(0, 200) }, 'a link leads nowhere')
    if (destination?.view === 'panel') this.#panel.show()
    else this.#main.show(destination?.hash)
  }

  async #putUpTray(): Promise<BusTray | undefined> {
    if (!(await hasTray(process.platform))) return undefined
    try {
      return new BusTray(this.#trayActions())
    } catch (err) {
      this.#log.warn({ err }, 'there is no tray')
      return undefined
    }
  }

  #trayActions(): TrayActions {
    return {
      copyUrl: (url) => void clipboard.writeText(url).catch((err: unknown) => this.#log.warn({ err }, 'the URL was not copied')),
      start: () => void this.#do('bus.start', {}),
      pause: (paused) => void this.#do('bus.pause', { paused }),
      showFailure: (id) => this.#main.show(intentPlace(id)),
      runTemplate: (id) => void this.#do('templates.run', { id }),
      quickPublish: () => this.#main.show('#/publish'),
      showPanel: () => this.#panel.toggle(),
      open: () => this.#main.show(),
      quit: () => void this.#quitting.request()
    }
  }

  /** An action of the user outside of the windows; a refusal is told. */
  async #do(method: string, input: object): Promise<void> {
    const answer = await this.#bus.call(method, input)
    if (!answer.ok) await this.#ask({ type: 'error', message: answer.error.message })
  }

  async #spawn(recovery: Recovery | null): Promise<Worker> {
    const keychain = await this.#services.findKeychain()
    const data: BusThreadData = {
      logFile: this.#logFile,
      keychain: keychain?.name ?? null,
      unavailableSettings: this.#unavailableSettings(),
      notices: keychain === null ? [noKeychain(this.#dataDir)] : [],
      recovery
    }
    return new Worker(built('main/bus-thread.js'), { workerData: data, name: 'bus', resourceLimits: THREAD_LIMITS })
  }

  #unavailableSettings(): Partial<Record<SettingName, string>> {
    const noLoginItem = whyNoLoginItem()
    return {
      ...(noLoginItem !== undefined && { startAtLogin: noLoginItem }),
      ...(!this.hasTray && { closeToTray: 'This desktop shows no tray icons; closing the window quits.' }),
      ...(!Notification.isSupported() && { notifyDead: 'This desktop shows no notifications.' })
    }
  }

  /** A window that goes to the tray is gone, with its memory; the bus goes on. */
  #mayClose(): boolean {
    if (this.#quitting.isUnderWay) return true
    if (this.hasTray && this.#services.settings.closeToTray) {
      this.#saySo()
      return true
    }
    void this.#quitting.request()
    return false
  }

  /** Once: who closes a window for the first time may think that the bus is stopped. */
  #saySo(): void {
    if (this.#state.state.hasSaidTray) return
    this.#notifier.show({ title: 'The bus goes on', body: 'Intent Bus stays in the tray. Quit it there.', hash: undefined })
    try {
      this.#state.change({ hasSaidTray: true })
    } catch (err) {
      this.#log.warn({ err }, 'the state of the window could not be kept')
    }
  }

  async #askToQuit(): Promise<boolean> {
    const question = await findQuitQuestion(this.#bus)
    if (question === undefined) return true
    const buttons = ['Quit', 'Keep running']
    return (await this.#ask({ type: 'warning', ...question, buttons, defaultId: 1, cancelId: 1, noLink: true })) === 0
  }

  /** Whether to load a page once more that has ended many times. */
  async #askAboutPage(): Promise<boolean> {
    const status = (await this.#bus.call('status.get', {})) as { readonly value?: BusStatus }
    const { listener } = status.value ?? {}
    const url = listener?.state === 'listening' ? listener.url : undefined
    const buttons = ['Try again', 'Close the window', ...(url === undefined ? [] : ['Open in the browser'])]
    const button = await this.#ask({
      type: 'error',
      message: 'The window’s page ended by itself again and again.',
      detail: `The bus is not concerned and goes on. The log in ${this.#logFile} says when it happened.`,
      buttons,
      defaultId: 0,
      cancelId: 1,
      noLink: true
    })
    if (button === 2) await electronShell.openExternal(`${url}/admin/`)
    return button === 0
  }

  /** The button that was pressed. */
  async #ask(options: MessageBoxOptions): Promise<number> {
    const parent = this.#main.current
    const titled = { title: APP_NAME, ...options }
    const { response } = await (parent === undefined ? dialog.showMessageBox(titled) : dialog.showMessageBox(parent, titled))
    return response
  }

  async #close(): Promise<void> {
    await this.#bus.close(GRACE_MS)
    await flushLog(LOG_PATIENCE_MS)
  }
}

function noKeychain(dataDir: string): string {
  const where = `files in ${dataDir} that only your user can read`
  return `This desktop has no keychain that the app can use; the main key and the password lie in ${where}.`
}
