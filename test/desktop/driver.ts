import { spawn } from 'node:child_process'
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Page } from 'playwright'
import type { Input, MethodName, Output } from '../../src/shared/control/contract.ts'
import type { Envelope } from '../../src/shared/control/transport.ts'
import { cleanEnvironment, ROOT } from '../support/bus-process.ts'
import { temporaryFolder } from '../support/folders.ts'
import type { Door, Exit, Launch, MainFunction } from './door.ts'
import { ElectronDoor, electronArguments, findElectron } from './electron-door.ts'
import type { DesktopRecord } from './record.ts'
import { standInCommand, StandInDoor } from './stand-in-door.ts'
import { DesktopTray } from './tray-driver.ts'

declare const desktopRecord: DesktopRecord

export interface DesktopOptions {
  /** A folder that outlives the app; else it gets one of its own. */
  readonly dataDir?: string
  /** Variables of the environment; `BUS_PORT` is 0 unless it is given here, '' leaves it to the settings. */
  readonly env?: Readonly<Record<string, string>>
  readonly args?: readonly string[]
  /** `locked`: what was sealed cannot be opened. */
  readonly keychain?: 'working' | 'basic_text' | 'none' | 'locked'
  /** `none`: the desktop says that it has none; `throws`: it says so, and then does not take the icon. */
  readonly tray?: 'working' | 'none' | 'throws'
  /** Shortcuts that another program has. */
  readonly takenShortcuts?: readonly string[]
}

/** A question that the app asks in a dialog. */
export interface Question {
  readonly message: string
  readonly detail: string
  readonly buttons: readonly string[]
}

/** What runs the app in these tests. */
export const ELECTRON = findElectron()

console.info(`The desktop app runs in ${ELECTRON === undefined ? 'the stand-in for Electron' : `Electron (${ELECTRON})`}.`)

const RECORDER = fileURLToPath(new URL('./recorder.cjs', import.meta.url))
const PATIENCE_MS = 15_000
/** For `expect.poll`: what happens in another process takes its time. */
export const SOON = { timeout: 10_000, interval: 25 }
const EXIT_PATIENCE_MS = 12_000

/** The desktop app under test: the build in `out/`, in Electron where it is installed, else in its stand-in. */
export class DesktopApp implements AsyncDisposable {
  readonly dataDir: string
  /** Where programs keep what users set, `~/.config` otherwise. */
  readonly configDir: string
  readonly tray: DesktopTray
  readonly #door: Door
  readonly #launch: Launch
  readonly #folder: Disposable

  private constructor(door: Door, launch: Launch, dataDir: string, folder: Disposable) {
    this.#door = door
    this.#launch = launch
    this.dataDir = dataDir
    this.configDir = launch.env.XDG_CONFIG_HOME!
    this.#folder = folder
    this.tray = new DesktopTray(this)
  }

  /** Starts the app; resolves when it is ready, which is before its window is. */
  static async start(options: DesktopOptions = {}): Promise<DesktopApp> {
    const folder = temporaryFolder()
    const dataDir = options.dataDir ?? join(folder.path, 'data')
    const launch = { app: ROOT, args: options.args ?? [], env: environmentOf(options, folder.path, dataDir) }
    try {
      const door = ELECTRON === undefined ? await StandInDoor.open(launch, RECORDER) : await ElectronDoor.open(ELECTRON, launch, RECORDER)
      return new DesktopApp(door, launch, dataDir, folder)
    } catch (error) {
      folder[Symbol.dispose]()
      throw error
    }
  }

  get kind(): Door['kind'] {
    return this.#door.kind
  }

  get exited(): Promise<Exit> {
    return this.#door.exited
  }

  get stderr(): string {
    return this.#door.stderr
  }

  /** Runs a function in the main process; of the test it sees only its argument. */
  evaluate<R>(question: MainFunction<undefined, R>): Promise<R>
  evaluate<A, R>(question: MainFunction<A, R>, argument: A): Promise<R>
  evaluate<A, R>(question: MainFunction<A | undefined, R>, argument?: A): Promise<R> {
    return this.#door.evaluate(question, argument)
  }

  /** The main window's page, when it is there and shows the interface. */
  window(): Promise<Page> {
    return this.page('/index.html')
  }

  panel(): Promise<Page> {
    return this.page('/panel.html')
  }

  /** The page of a window that shows this path. */
  async page(pathname: string): Promise<Page> {
    const page = await until(`a window with ${pathname}`, () => this.pages(pathname)[0])
    await page.waitForLoadState()
    return page
  }

  /** All pages that show this path now. */
  pages(pathname: string): Page[] {
    return this.#door.pages().filter((page) => !page.isClosed() && URL.parse(page.url())?.pathname === pathname)
  }

  /** How many windows there are, as the main process sees it. */
  countWindows(): Promise<number> {
    return this.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows().length)
  }

  /** How many pages there are, also such as belong to no window of the app. */
  countPages(): number {
    return this.#door.pages().filter((page) => !page.isClosed()).length
  }

  /** The place that the main window shows, as a hash; undefined without that window. */
  place(): Promise<string | undefined> {
    return this.evaluate(({ BrowserWindow }) => {
      const pages = BrowserWindow.getAllWindows().map(({ webContents }) => new URL(webContents.getURL()))
      return pages.find(({ pathname }) => pathname === '/index.html')?.hash
    })
  }

  /** Whether a window that shows this path is there to be seen. */
  isVisible(pathname: string): Promise<boolean> {
    return this.evaluate(({ BrowserWindow }, path) => {
      return BrowserWindow.getAllWindows().some((window) => window.isVisible() && new URL(window.webContents.getURL()).pathname === path)
    }, pathname)
  }

  /** Closes the main window as its user does. */
  async closeWindow(): Promise<void> {
    await this.evaluate(({ BrowserWindow }) => {
      BrowserWindow.getAllWindows().find(({ webContents }) => webContents.getURL().includes('/index.html'))?.close()
    })
  }

  /** Calls a method of the control contract as a page of the app does. Throws at a refusal. */
  async call<M extends MethodName>(method: M, input: Input<M>): Promise<Output<M>> {
    const envelope = (await this.callRaw(method, input)) as Envelope<Output<M>>
    if (envelope.ok) return envelope.value
    throw new Error(`${method} was refused: ${envelope.error.code}: ${envelope.error.message}`)
  }

  /** What the preload's `call` answers to these arguments, whatever they are. */
  async callRaw(...args: readonly unknown[]): Promise<unknown> {
    const page = await this.window()
    // In Electron the bridge is there before any script of the page; as text, for tests know no DOM.
    return page.evaluate((given) => (globalThis as never as BridgeHolder).intentBus.call(...given), args)
  }

  /** Where the bus listens; waits until it does. */
  async url(): Promise<string> {
    return until('the bus to listen', async () => {
      const { listener } = await this.call('status.get', {})
      return listener?.state === 'listening' ? listener.url : undefined
    })
  }

  async mainKey(): Promise<string> {
    return (await this.call('keys.revealMain', {})).secret
  }

  /** Notifications that were shown so far. */
  notifications(): Promise<readonly { readonly title: string; readonly body: string }[]> {
    return this.evaluate(() => desktopRecord.notifications.map(({ title, body }) => ({ title, body })))
  }

  async clickNotification(index: number): Promise<void> {
    await this.evaluate((_electron, at) => void desktopRecord.notifications[at]!.emit('click', {}), index)
  }

  /** The dialog that is open; waits for one. */
  question(): Promise<Question> {
    return until('a dialog', () =>
      this.evaluate(() => {
        const options = desktopRecord.questions[0]?.options
        return options && { message: options.message, detail: options.detail ?? '', buttons: options.buttons ?? [] }
      })
    )
  }

  countQuestions(): Promise<number> {
    return this.evaluate(() => desktopRecord.questions.length)
  }

  /** Presses a button of the open dialog. */
  async answer(button: string): Promise<void> {
    await this.evaluate((_electron, label) => {
      const { options, resolve } = desktopRecord.questions.shift()!
      const response = options.buttons?.indexOf(label) ?? -1
      if (response < 0) throw new Error(`The dialog has no button "${label}".`)
      resolve({ response, checkboxChecked: false })
    }, button)
  }

  /** URLs and files that were handed to other programs. */
  opened(): Promise<readonly string[]> {
    return this.evaluate(() => desktopRecord.opened)
  }

  clipboard(): Promise<string> {
    return this.evaluate(({ clipboard }) => clipboard.readText())
  }

  /** Presses keys that the app registered; throws when it did not. */
  async pressShortcut(accelerator: string): Promise<void> {
    await this.evaluate((_electron, keys) => {
      const press = desktopRecord.shortcuts.get(keys)
      if (press === undefined) throw new Error(`Nobody registered ${keys}.`)
      press()
    }, accelerator)
  }

  /** Ends the newest thread of the app as a crash would: from outside, without a word. */
  async killBusThread(): Promise<void> {
    await this.evaluate(async () => void (await desktopRecord.threads.at(-1)!.terminate()))
  }

  /** Starts the app again on the same folder, as a user or a link does, and waits until that one has ended. */
  async startSecond(args: readonly string[] = []): Promise<Exit> {
    const launch = { ...this.#launch, args }
    const [command, ...rest] =
      ELECTRON === undefined ? standInCommand(launch, RECORDER) : [ELECTRON, ...electronArguments(launch, RECORDER)]
    const child = spawn(command, rest, { cwd: launch.app, env: launch.env, stdio: 'ignore' })
    return new Promise((resolve) => child.on('exit', (code, signal) => resolve({ code, signal })))
  }

  /** Asks the app to quit, as its menu does; what it asks back is for the test to answer. */
  async quit(): Promise<void> {
    await this.evaluate(({ app }) => {
      // The answer to this question must leave before the app does.
      setTimeout(() => app.quit(), 20)
    })
  }

  kill(signal: NodeJS.Signals): void {
    this.#door.process.kill(signal)
  }

  /** Ends the app, without its questions, and whatever it left. */
  async [Symbol.asyncDispose](): Promise<void> {
    const hasEnded = () => this.#door.process.exitCode !== null || this.#door.process.signalCode !== null
    if (!hasEnded()) {
      this.kill('SIGTERM')
      const timer = setTimeout(() => this.kill('SIGKILL'), EXIT_PATIENCE_MS)
      await this.exited
      clearTimeout(timer)
    }
    await this.#door.release()
    this.#folder[Symbol.dispose]()
  }
}

interface BridgeHolder {
  readonly intentBus: { call(...args: readonly unknown[]): Promise<unknown> }
}

/** Waits until something is there, for as long as a user would. */
export async function until<T>(what: string, look: () => T | undefined | Promise<T | undefined>): Promise<T> {
  const end = performance.now() + PATIENCE_MS
  for (;;) {
    const found = await look()
    if (found !== undefined) return found
    if (performance.now() > end) throw new Error(`Waited in vain for ${what}.`)
    await new Promise((resolve) => setTimeout(resolve, 25))
  }
}

function environmentOf(options: DesktopOptions, folder: string, dataDir: string): Record<string, string> {
  const programs = join(folder, 'bin')
  writeTrayAnswer(programs, options.tray !== 'none')
  const env: Record<string, string> = {
    ...cleanEnvironment(),
    PATH: `${programs}:${process.env.PATH}`,
    XDG_CONFIG_HOME: join(folder, 'config'),
    BUS_DATA_DIR: dataDir,
    BUS_PORT: '0',
    DESKTOP_RECORDER: JSON.stringify({ keychain: options.keychain, tray: options.tray, takenShortcuts: options.takenShortcuts }),
    ...options.env
  }
  for (const display of ['DISPLAY', 'WAYLAND_DISPLAY']) {
    const value = process.env[display]
    if (value !== undefined) env[display] = value
  }
  return env
}

/** What a Linux desktop answers to the question whether it shows tray icons. */
function writeTrayAnswer(programs: string, hasTray: boolean): void {
  mkdirSync(programs, { recursive: true })
  const path = join(programs, 'gdbus')
  writeFileSync(path, `#!/bin/sh\necho "(${hasTray},)"\n`)
  chmodSync(path, 0o755)
}
