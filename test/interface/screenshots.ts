import { createHmac } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Page } from 'playwright'
import { ROOT } from '../support/bus-process.ts'
import { HomeNetwork } from '../support/home-network.ts'
import { HomeRig } from './home-rig.ts'
import { Interface, type View } from './interface.ts'

/** npm run screenshots: the pictures of docs/, taken of the real interface over a bus with some hours' worth of work. */

const FOLDER = join(ROOT, 'docs', 'screenshots')
const WIDE = { width: 1280, height: 800 } as const
const PHONE = { width: 390, height: 844 } as const

const WORKERS = [
  { name: 'pi4', goals: ['resize', 'backup'], capabilities: 'arm' },
  { name: 'nas', goals: ['backup', 'mail.send'], capabilities: 'disk' },
  { name: 'laptop', goals: ['transcode'], capabilities: 'gpu,disk' }
] as const

await using app = await Interface.start()
await seed()
mkdirSync(FOLDER, { recursive: true })
const waiting = (await app.call('intents.list', { filter: 'goal:print status:open', limit: 1 })).rows[0]!
const failed = (await app.call('intents.list', { filter: 'status:dead goal:backup', limit: 1 })).rows[0]!
const work = keepWorking()
await take('overview', '#/overview', { ...WIDE, colorScheme: 'light' })
await take('overview-dark', '#/overview', { ...WIDE, colorScheme: 'dark' })
await take('overview-phone', '#/overview', { ...PHONE, colorScheme: 'light' })
await take('intents', '#/intents', { ...WIDE, colorScheme: 'dark' })
await take('intents-phone', '#/intents?filter=status%3Adead', { ...PHONE, colorScheme: 'dark' })
await take('dead', '#/intents?filter=status%3Adead', { ...WIDE, colorScheme: 'light' })
await take('why', `#/intents/${waiting.id}`, { ...WIDE, colorScheme: 'light' })
await take('detail-phone', `#/intents/${failed.id}`, { ...PHONE, colorScheme: 'light' })
await take('publish', `#/publish?goal=backup&payload=${encodeURIComponent('{\n  "host": "laptop",\n  "full": true\n}')}`, { ...WIDE, colorScheme: 'light' })
await take('workers', '#/workers', { ...WIDE, colorScheme: 'light' })
await take('keys', '#/keys', { ...WIDE, colorScheme: 'light' })
await app.call('backups.make', {})
await take('storage', '#/storage', { ...WIDE, colorScheme: 'light' })
await take('settings', '#/settings', { ...WIDE, colorScheme: 'dark' })
work.abort()
if (HomeNetwork.trouble() === undefined) await takeNetwork()

async function take(name: string, path: string, view: View): Promise<void> {
  const page = await app.open('', view)
  await page.goto(`${app.bus.url}/admin/${path}`)
  await settled(page)
  await page.screenshot({ path: join(FOLDER, `${name}.png`) })
  await page.context().close()
  process.stdout.write(`${name}\n`)
}

/** A bus that is shared, a phone that asks to be let in, and what it sees then. */
async function takeNetwork(): Promise<void> {
  await using home = await HomeRig.start({ BUS_NAME: 'cellar', BUS_SHARE: 'true' })
  const save = async (page: Page, name: string): Promise<void> => {
    await settled(page)
    await page.screenshot({ path: join(FOLDER, `${name}.png`) })
    process.stdout.write(`${name}\n`)
  }
  home.shared.call('templates.save', { name: 'Back up the laptop', goal: 'backup', payload: '{"host":"laptop"}' })
  home.phoneHost.attempt('curl', '-s', `${home.lanUrl}/health`)
  const { secret } = home.shared.call('keys.create', { owner: 'nas', scope: { roles: ['claim', 'read'], namespaces: null, goals: ['backup', 'mail.*'] } })
  const claim = (...headers: readonly string[]): string =>
    home.machine.run('curl', '-s', '-k', '-A', 'worker.sh', ...[`X-API-KEY: ${secret}`, ...headers].flatMap((header) => ['-H', header]), '-X', 'POST', `${home.lanUrl}/claim?wait=0&goal=backup`)
  claim()
  const { link } = await home.showCode()
  await save(home.page, 'network')
  const phone = await home.pocket.open(link, PHONE)
  await phone.getByLabel('Name of this device').fill('Phone of Ada')
  await save(phone, 'pairing-phone')
  await phone.getByRole('button', { name: 'Ask for access' }).click()
  await home.readQuestion('Phone of Ada')
  await save(home.page, 'pairing')
  await home.dialog.getByRole('button', { name: 'Allow' }).click()
  await phone.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Publish' }).click()
  await save(phone, 'publish-phone')
  claim(...signedUnsorted(secret))
  await home.goTo('#/activity')
  // Without what is said of the phone.
  await home.page.reload()
  await home.page.getByText(/^What was signed/).click()
  await save(home.page, 'activity')
}

/** Headers of a client that signs the query as it sends it, and not as the bus sorts it. */
function signedUnsorted(key: string): readonly string[] {
  const timestamp = Math.floor(Date.now() / 1000)
  const text = ['POST', '/claim?wait=0&goal=backup', timestamp, 'a1b2c3', ''].join('\n')
  return [`X-Timestamp: ${timestamp}`, 'X-Nonce: a1b2c3', `X-Signature: ${createHmac('sha256', key).update(text).digest('hex')}`]
}

/** Charts and lists come in pieces of their own. */
async function settled(page: Page): Promise<void> {
  await page.waitForLoadState('networkidle', { timeout: 2_000 }).catch(() => {})
  await page.waitForTimeout(600)
}

async function seed(): Promise<void> {
  for (const owner of ['pi4', 'nas', 'phone']) await app.call('keys.create', { owner })
  const schema = '{"type":"object","properties":{"host":{"type":"string","title":"Host"},"full":{"type":"boolean","title":"Full backup"}},"required":["host"]}'
  await app.call('templates.save', { name: 'Back up the laptop', goal: 'backup', payload: '{"host":"laptop","full":false}', schema })
  await app.call('templates.save', { name: 'Print the label', goal: 'print', payload: '{"label":"Ada Lovelace"}', capability: 'printer' })
  await app.call('views.save', { name: 'Stuck', filter: 'status:open age:>10m' })
  for (let i = 0; i < 160; i++) await publishOne(i)
  for (let round = 0; round < 30; round++) await workOnce(round)
}

async function publishOne(i: number): Promise<void> {
  const goal = ['resize', 'backup', 'mail.send', 'transcode', 'resize', 'print'][i % 6]!
  const payload = JSON.stringify({ order: 1_000 + i, file: `/photos/2026/img_${4_200 + i}.jpg`, notify: i % 4 === 0 })
  const capability = goal === 'print' ? 'printer' : null
  await app.call('intents.publish', { goal, payload, capability, priority: i % 9 === 0 ? 500 : 100, maxAttempts: i % 5 === 0 ? 1 : 3 })
}

async function workOnce(round: number): Promise<void> {
  for (const { name, goals, capabilities } of WORKERS) {
    const claimed = await app.operating.claim(goals[round % goals.length]!, name, { 'X-Worker-Capabilities': capabilities })
    if (claimed === undefined) continue
    if (round % 7 === 3) await app.operating.fail(claimed, `connection to nas.local timed out after ${900 + round} ms`)
    else if (round % 9 !== 5) await app.operating.fulfill(claimed, { ok: true, bytes: 18_446_744_073_709 + round })
  }
}

/** Something goes on while the pictures are taken. */
function keepWorking(): AbortController {
  const stop = new AbortController()
  void (async () => {
    for (let i = 160; !stop.signal.aborted; i++) {
      await publishOne(i)
      await workOnce(i)
      await new Promise((resolve) => setTimeout(resolve, 300))
    }
  })().catch(() => {})
  return stop
}
