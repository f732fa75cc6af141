import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { chromium, type Browser, type Page } from 'playwright'
import { temporaryFolder } from '../support/folders.ts'
import type { NetworkHost } from '../support/home-network.ts'
import { chromiumOptions } from './chromium.ts'
import { watchConsole } from './console.ts'
import type { View } from './interface.ts'

/** A real browser on a machine of a home network, whose user goes on past warnings of certificates, as a phone's user does. */
export class NetworkBrowser implements AsyncDisposable {
  readonly #browser: Browser
  readonly #folder: Disposable
  readonly #trouble: string[] = []

  private constructor(browser: Browser, folder: Disposable) {
    this.#browser = browser
    this.#folder = folder
  }

  static async start(host: NetworkHost): Promise<NetworkBrowser> {
    const { executablePath, args } = chromiumOptions()
    const folder = temporaryFolder()
    const program = join(folder.path, 'chromium')
    writeFileSync(program, `#!/bin/sh\nexec ${host.entrance.join(' ')} ${executablePath} "$@"\n`, { mode: 0o700 })
    return new NetworkBrowser(await chromium.launch({ executablePath: program, args, headless: true }), folder)
  }

  /** A page of a browser of its own, with no session. */
  async open(url: string, { width = 1280, height = 900, colorScheme = 'light' }: View = {}): Promise<Page> {
    const context = await this.#browser.newContext({
      viewport: { width, height },
      colorScheme,
      reducedMotion: 'reduce',
      ignoreHTTPSErrors: true,
      hasTouch: width < 720
    })
    watchConsole(context, this.#trouble)
    const page = await context.newPage()
    await page.goto(url)
    return page
  }

  /** Errors and warnings of Svelte that pages logged, and what their policy blocked. Those that a test provokes are taken out by `expected`. */
  trouble(expected: RegExp = /$^/): string[] {
    return this.#trouble.filter((line) => !expected.test(line))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#browser.close()
    this.#folder[Symbol.dispose]()
  }
}
