import { spawn, type ChildProcess } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import type { Readable, Writable } from 'node:stream'
import { chromium } from 'playwright'
import { CdpConnection } from './cdp.ts'

/** Where distributions put Chromium; asked before the one that playwright may have fetched. */
const USUAL_PLACES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']

const ARGUMENTS = [
  '--headless=new',
  '--no-sandbox',
  '--no-first-run',
  '--no-default-browser-check',
  '--no-startup-window',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-default-apps',
  '--disable-dev-shm-usage',
  '--disable-extensions',
  '--disable-gpu',
  '--disable-sync',
  // Electron lets pages open windows without a click; what becomes of them is for the app to say.
  '--disable-popup-blocking',
  // Frames of other origins stay in the process of their page, so that one session sees all frames.
  '--disable-site-isolation-trials',
  '--disable-features=IsolateOrigins,site-per-process,IsolateSandboxedIframes,LocalNetworkAccessChecks,Translate',
  '--password-store=basic',
  '--use-mock-keychain',
  '--remote-debugging-pipe',
  '--remote-debugging-port=0'
]

const CLOSE_PATIENCE_MS = 3_000

/** A Chromium: the stand-in holds its pipe, with which it ends; tests find it at its port. */
export class Chromium {
  readonly connection: CdpConnection
  /** Where others connect to with DevTools' protocol. */
  readonly endpoint: string
  readonly #process: ChildProcess

  private constructor(process: ChildProcess, endpoint: string) {
    this.#process = process
    this.endpoint = endpoint
    this.connection = new CdpConnection(process.stdio[3] as Writable, process.stdio[4] as Readable)
  }

  /** Starts it. Its profile is kept in `profile`, so that what pages store is there again after a restart. */
  static async launch(profile: string): Promise<Chromium> {
    mkdirSync(profile, { recursive: true })
    const args = [...ARGUMENTS, `--user-data-dir=${profile}`]
    const child = spawn(findChromium(), args, { stdio: ['ignore', 'ignore', 'pipe', 'pipe', 'pipe'] })
    const endpoint = await new Promise<string>((resolve, reject) => {
      let said = ''
      child.stderr!.setEncoding('utf8').on('data', (chunk: string) => {
        said += chunk
        const found = /DevTools listening on (ws:\S+)/.exec(said)
        if (found !== null) resolve(found[1]!)
      })
      child.on('error', reject)
      child.on('exit', (code) => reject(new Error(`Chromium ended with ${code} before it could be used: ${said}`)))
    })
    return new Chromium(child, endpoint)
  }

  /** Ends it and waits, so that nothing of the app runs meanwhile and its profile is complete. */
  close(): void {
    void this.connection.browser.send('Browser.close')
    const end = performance.now() + CLOSE_PATIENCE_MS
    const pause = new Int32Array(new SharedArrayBuffer(4))
    while (this.#isRunning() && performance.now() < end) Atomics.wait(pause, 0, 0, 5)
    this.#process.kill('SIGKILL')
  }

  /** Node only hears that a child has ended when it is not waiting; Linux says it in a file: `Z` for one that has. */
  #isRunning(): boolean {
    try {
      return !/\) Z /.test(readFileSync(`/proc/${this.#process.pid}/stat`, 'utf8'))
    } catch {
      return false
    }
  }
}

function findChromium(): string {
  const path = process.env.CHROMIUM_PATH ?? USUAL_PLACES.find((place) => existsSync(place)) ?? chromium.executablePath()
  if (!existsSync(path)) throw new Error('No Chromium was found; name one by CHROMIUM_PATH.')
  return path
}
