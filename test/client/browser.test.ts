import { createReadStream } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join, normalize } from 'node:path'
import { chromium, type Page } from 'playwright'
import { afterAll, expect, test } from 'vitest'
import { chromiumOptions } from '../interface/chromium.ts'
import { MAIN_KEY, TestServer } from '../support/test-server.ts'
import { builtPackage } from './built-package.ts'

/** What the page has among its globals. */
declare const intentBus: typeof import('../../src/shared/client/index.ts')
declare const isSecureContext: boolean

const PAGE = `<!doctype html><title>A page</title>
<script type="module">
  import * as intentBus from '/shared/client/index.js'
  Object.assign(globalThis, { intentBus })
</script>`

/** What a browser of today takes a page of this name for: somewhere out there, not this machine. */
const INSECURE_HOST = 'page.example'

const built = await builtPackage()
/** A web site that serves the package as it was built, and a page that loads it. */
const site = createServer((req, res) => {
  const path = normalize(req.url!)
  res.setHeader('Content-Type', path === '/' ? 'text/html' : 'text/javascript')
  if (path === '/') res.end(PAGE)
  else createReadStream(join(built.path, path)).on('error', () => res.destroy()).pipe(res)
})
await new Promise<void>((resolve) => site.listen(0, '127.0.0.1', resolve))
const { port } = site.address() as AddressInfo
const ORIGIN = `http://localhost:${port}`
const INSECURE_ORIGIN = `http://${INSECURE_HOST}:${port}`
const FOREIGN_ORIGIN = `http://127.0.0.1:${port}`

const bus = await TestServer.start({ isClockReal: true, allowedOrigins: new Set([ORIGIN, INSECURE_ORIGIN]) })
const { executablePath, args } = chromiumOptions()
const browser = await chromium.launch({ executablePath, args: [...args, `--host-resolver-rules=MAP ${INSECURE_HOST} 127.0.0.1`] })

afterAll(async () => {
  await browser.close()
  await bus[Symbol.asyncDispose]()
  site.closeAllConnections()
  site.close()
  built[Symbol.dispose]()
})

const HERE = { baseUrl: bus.url, apiKey: MAIN_KEY }

async function open(origin: string): Promise<Page> {
  const page = await browser.newPage()
  await page.goto(origin)
  return page
}

test('a page of an allowed origin publishes, works, waits and follows, with signatures', async () => {
  const page = await open(ORIGIN)
  const told = await page.evaluate(async (options) => {
    const { IntentClient, SettledIds } = intentBus
    const client = new IntentClient({ ...options, numbers: 'exact', workerId: 'a page' })
    const events: string[] = []
    const following = (async () => {
      for await (const event of client.events()) {
        if (event.type === 'change') events.push(event.event)
        if (events.length === 3) return
      }
    })()
    await new Promise((resolve) => setTimeout(resolve, 300))
    const worker = client.worker({ goals: { one: (payload) => payload, two: () => {} }, settled: new SettledIds() })
    const running = worker.run()
    const { resultText, claimAttempts } = await client.publishAndWait('one', 12345678901234567890n)
    await following
    await worker.stop()
    await running
    await client.set('from a page', { ä: 1 })
    const value = await client.get('from a page')
    const nothing = await client.claim({ goal: 'one', wait: 0.5 })
    return { resultText, claimAttempts, events, value, nothing }
  }, HERE)
  expect(told).toEqual({
    resultText: '12345678901234567890',
    claimAttempts: 1,
    events: ['published', 'claimed', 'fulfilled'],
    value: { ä: 1 },
    nothing: null
  })
})

test('a page that is not secure is told the cure, and may go without signatures', async () => {
  const page = await open(INSECURE_ORIGIN)
  const told = await page.evaluate(async (options) => {
    const { IntentClient } = intentBus
    let problem: unknown
    try {
      new IntentClient(options)
    } catch (error) {
      problem = error
    }
    const { name, code, message } = problem as InstanceType<typeof intentBus.IntentBusError>
    const { status } = await new IntentClient({ ...options, sign: false }).publish('unsigned', 1)
    return { name, code, message, status, isSecure: isSecureContext }
  }, HERE)
  expect(told).toMatchObject({ isSecure: false, name: 'IntentBusError', code: 'insecure_context', status: 'published' })
  expect(told.message).toMatch(/https.*localhost.*sign: false/)
})

test('a page of another origin is told what may be the matter', async () => {
  const page = await open(FOREIGN_ORIGIN)
  const message = await page.evaluate(async (options) => {
    const { IntentClient } = intentBus
    return new IntentClient(options).claim().then(String, String)
  }, HERE)
  expect(message).toContain('BUS_ALLOWED_ORIGINS')
})
