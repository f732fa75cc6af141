import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import AxeBuilder from '@axe-core/playwright'
import type { Browser, BrowserContext, Page } from 'playwright'
import { expect } from 'playwright/test'
import type { Input, MethodName, Output } from '../../src/shared/control/contract.ts'
import type { Settings } from '../../src/shared/control/settings.ts'
import { BusProcess } from '../support/bus-process.ts'
import { temporaryFolder } from '../support/folders.ts'
import { Operating } from '../control/rig.ts'
import { launchChromium } from './chromium.ts'
import { watchConsole } from './console.ts'

export const ADMIN_TOKEN = 'admin-token-of-the-interface-tests'

export interface View {
  readonly width?: number
  readonly height?: number
  readonly colorScheme?: 'light' | 'dark'
}

/** 390 px and 1280 px, light and dark: what every screen must look right in. */
export const VIEWS: readonly (Required<View> & { readonly name: string })[] = [
  { name: 'wide, light', width: 1280, height: 800, colorScheme: 'light' },
  { name: 'wide, dark', width: 1280, height: 800, colorScheme: 'dark' },
  { name: 'phone, light', width: 390, height: 844, colorScheme: 'light' },
  { name: 'phone, dark', width: 390, height: 844, colorScheme: 'dark' }
]

/** The built bus in a process of its own, and a real browser that opens its interface over HTTP. */
export class Interface implements AsyncDisposable {
  readonly bus: BusProcess
  /** What operators and workers do beside the browser. */
  readonly operating: Operating
  readonly #browser: Browser
  readonly #folder: Disposable
  readonly #trouble: string[] = []

  private constructor(bus: BusProcess, browser: Browser, folder: Disposable) {
    this.bus = bus
    this.#browser = browser
    this.#folder = folder
    const { url, mainKey } = bus
    this.operating = new Operating({
      url,
      mainKey,
      async send(method, input) {
        const headers = { 'X-Admin-Token': ADMIN_TOKEN, 'Content-Type': 'application/json' }
        const answer = await fetch(`${url}/admin/control/${method}`, { method: 'POST', headers, body: JSON.stringify(input) })
        const body = (await answer.json()) as { value: unknown; error: { code: string; message: string } }
        return answer.ok ? { ok: true, value: body.value } : { ok: false, error: body.error }
      },
      listen: () => Promise.reject(new Error('not here')),
      [Symbol.asyncDispose]: async () => {}
    })
  }

  /** `settings`: what the bus finds set, where the environment does not decide it. */
  static async start(env: Readonly<Record<string, string>> = {}, settings: Partial<Settings> = {}): Promise<Interface> {
    const folder = temporaryFolder()
    writeFileSync(join(folder.path, 'settings.json'), JSON.stringify(settings))
    const [bus, browser] = await Promise.all([
      BusProcess.start(folder.path, { BUS_ADMIN_SECRET: ADMIN_TOKEN, ...env }),
      launchChromium()
    ])
    return new Interface(bus, browser, folder)
  }

  call<M extends MethodName>(method: M, input: Input<M>): Promise<Output<M>> {
    return this.operating.call(method, input)
  }

  /** A page of a browser of its own, not logged in; `path` is the hash, as `#/intents`. */
  async visit(path = '', { width = 1280, height = 800, colorScheme = 'light' }: View = {}): Promise<Page> {
    const context = await this.#browser.newContext({ viewport: { width, height }, colorScheme, reducedMotion: 'reduce' })
    await context.grantPermissions(['clipboard-read', 'clipboard-write'])
    this.#watch(context)
    const page = await context.newPage()
    await page.goto(`${this.bus.url}/admin/${path}`)
    return page
  }

  /** A page that is logged in and shows what it was asked for. */
  async open(path = '', view: View = {}): Promise<Page> {
    const page = await this.visit(path, view)
    await login(page, this.bus.password)
    await expect(page.getByRole('navigation').first()).toBeVisible()
    return page
  }

  /** Errors and warnings of Svelte that pages logged, and what their policy blocked. Refusals that a test provokes are taken out by `expected`. */
  trouble(expected: RegExp = /$^/): string[] {
    return this.#trouble.filter((line) => !expected.test(line))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#browser.close()
    await this.bus[Symbol.asyncDispose]()
    this.#folder[Symbol.dispose]()
  }

  #watch(context: BrowserContext): void {
    watchConsole(context, this.#trouble)
    context.on('requestfailed', (request) => {
      const isForeign = !request.url().startsWith(this.bus.url)
      if (isForeign) this.#trouble.push(`asked for ${request.url()}`)
    })
  }
}

/** Fills in the login, as a person does. */
export async function login(page: Page, password: string): Promise<void> {
  await page.getByLabel('Password').fill(password)
  await page.getByRole('button', { name: 'Log in' }).click()
}

/** What axe finds serious or critical on a page, as lines. */
export async function seriousFindings(page: Page): Promise<string[]> {
  const { violations } = await new AxeBuilder({ page }).analyze()
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.map(({ target }) => target.join(' ')).join(', ')}`)
}

/** Whether the page is wider than its window: then something sticks out. */
export function overflow(page: Page): Promise<number> {
  return page.evaluate<number>('document.documentElement.scrollWidth - document.documentElement.clientWidth')
}
