import { cpSync, existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import Database from 'better-sqlite3'
import { describe, expect, test } from 'vitest'
import { createLog, flushLog } from '../../src/main/log.ts'
import type { BusStatus } from '../../src/shared/control/status-views.ts'
import { ask, type HttpAnswer } from '../support/http-client.ts'
import { CLI } from '../cli/cli.ts'
import { BUILT_HEADLESS, BusProcess, cleanEnvironment, type Exit } from '../support/bus-process.ts'
import { temporaryFolder } from '../support/folders.ts'
import { SmallDisk } from '../support/small-disk.ts'

const trouble = SmallDisk.trouble()
if (trouble !== undefined) process.stderr.write(`skipped, the bus on a full disk: ${trouble}\n`)

/** A bus on a small disk, and what people and programs ask of it. */
class Rig implements AsyncDisposable {
  readonly disk: SmallDisk
  readonly bus: BusProcess
  readonly #key: string
  readonly #password: string
  readonly #folder = temporaryFolder()

  private constructor(disk: SmallDisk, bus: BusProcess) {
    this.disk = disk
    this.bus = bus
    this.#key = this.read('main.key')
    this.#password = this.read('dashboard.password')
  }

  static async start(env: Readonly<Record<string, string>> = {}, megabytes = 12): Promise<Rig> {
    const disk = await SmallDisk.create(megabytes)
    return new Rig(disk, await BusProcess.start(disk.path, env, [], disk))
  }

  get password(): string {
    return this.#password
  }

  read(name: string): string {
    return readFileSync(join(this.disk.outside, name), 'utf8').trim()
  }

  post(path: string, body: unknown = ''): Promise<HttpAnswer> {
    return ask(this.bus.url, { method: 'POST', path, headers: { 'X-API-KEY': this.#key }, body })
  }

  get(path: string): Promise<HttpAnswer> {
    return ask(this.bus.url, { path, headers: { 'X-API-KEY': this.#key } })
  }

  control(method: string, input: object = {}): Promise<HttpAnswer> {
    const Authorization = `Basic ${Buffer.from(`admin:${this.#password}`).toString('base64')}`
    return ask(this.bus.url, { method: 'POST', path: `/admin/control/${method}`, headers: { Authorization }, body: JSON.stringify(input) })
  }

  login(): Promise<HttpAnswer> {
    const headers = { 'Content-Type': 'application/json', Origin: this.bus.url, 'Sec-Fetch-Site': 'same-origin' }
    return ask(this.bus.url, { method: 'POST', path: '/admin/control/login', headers, body: JSON.stringify({ password: this.#password }) })
  }

  async storage(): Promise<BusStatus['storage']> {
    return (await this.control('status.get')).json.value.storage as BusStatus['storage']
  }

  async until(state: BusStatus['storage']['state']): Promise<void> {
    await expect.poll(async () => (await this.storage()).state, { timeout: 15_000 }).toBe(state)
  }

  async publish(n: number, goal = 'work'): Promise<string> {
    const { status, json } = await this.post('/intent', { goal, payload: { n } })
    expect(status).toBe(201)
    return json.id as string
  }

  /** What a bus that has ended left behind, in a copy: SQLite would follow the way into the namespace out of it again. */
  database(): Database.Database {
    const copy = join(this.#folder.path, 'copy.db')
    for (const suffix of ['', '-wal']) {
      const file = join(this.disk.outside, `infrastructure.db${suffix}`)
      if (existsSync(file)) cpSync(file, copy + suffix)
    }
    const db = new Database(copy)
    expect(db.pragma('integrity_check', { simple: true })).toBe('ok')
    return db
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#folder[Symbol.dispose]()
    await this.bus[Symbol.asyncDispose]()
    this.disk[Symbol.dispose]()
  }
}

interface Output {
  readonly code: number | null
  readonly text: string
}

/** What a program of node prints that sees the disk. */
async function outputOf(disk: SmallDisk, args: readonly string[]): Promise<Output> {
  const child = disk.spawn(process.execPath, args, { env: { ...cleanEnvironment(), BUS_DATA_DIR: disk.path, HOME: disk.path }, stdio: ['ignore', 'pipe', 'inherit'] })
  let text = ''
  child.stdout!.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
  return { code: await new Promise((resolve) => child.on('close', resolve)), text }
}

const REFUSED = { status: 503, json: { error: { code: 'storage_unavailable', message: expect.stringContaining('make room') } } }

describe.skipIf(trouble !== undefined)('on a full disk', () => {
  test('writes are refused and say why, reads go on, and all of it goes on by itself once there is room', { timeout: 60_000 }, async () => {
    await using rig = await Rig.start()
    const { disk, post } = { disk: rig.disk, post: rig.post.bind(rig) }
    const ids = [await rig.publish(1), await rig.publish(2), await rig.publish(3)]
    const [first, second, third] = [(await post('/claim?goal=work')).json, (await post('/claim?goal=work')).json, (await post('/claim?goal=work')).json]
    await post('/set/name', { value: 'before' })
    const waiting = post('/claim?goal=later&wait=30')
    waiting.catch(() => {})
    const running = rig.read('running.json')
    disk.fill()

    const writes: [string, () => Promise<HttpAnswer>][] = [
      ['publish', () => post('/intent', { goal: 'work', payload: 'x'.repeat(5_000) })],
      ['extend', () => post(`/extend_claim/${first.id}`, { claim_token: first.claim_token, seconds: 600 })],
      ['fulfil', () => post(`/fulfill/${first.id}`, { claim_token: first.claim_token, result: 1 })],
      ['fail', () => post(`/fail/${second.id}`, { claim_token: second.claim_token, error: 'no' })],
      ['set', () => post('/set/name', { value: 'after' })],
      ['cancel', () => rig.control('intents.cancel', { id: ids[2] })],
      ['a new key', () => rig.control('keys.create', { owner: 'somebody' })],
      ['a template', () => rig.control('templates.save', { name: 't', goal: 'g', payload: '{}' })],
      ['pause', () => rig.control('bus.pause', { paused: true })],
      ['a setting', () => rig.control('settings.change', { fulfilledDays: 9 })],
      ['the key', () => rig.control('keys.rotateMain', { password: rig.password })],
      ['the password', () => rig.control('access.changePassword', { password: rig.password, next: 'another password' })],
      ['the identity', () => rig.control('settings.change', { share: true, sharePort: 0 })],
      ['cleanup', () => rig.control('bus.cleanup')]
    ]
    for (const [name, write] of writes) expect.soft(await write(), name).toMatchObject(REFUSED)

    expect((await rig.get(`/status/${first.id}`)).json.status).toBe('claimed')
    expect((await rig.get('/get/name')).json).toMatchObject({ value: 'before' })
    expect((await rig.control('intents.list', {})).json.value.rows).toHaveLength(3)
    expect((await ask(rig.bus.url, { path: '/admin/' })).status).toBe(200)
    expect(await rig.storage()).toEqual({ state: 'full', problem: expect.stringContaining('Make room on it') })
    expect((await rig.control('overview.get')).json.value.attention[0].kind).toBe('storage')
    expect((await rig.control('storage.view')).json.value).toMatchObject({ disk: { freeBytes: expect.any(Number) }, status: { state: 'full' } })
    expect((await rig.control('settings.get')).json.value.values).toMatchObject({ fulfilledDays: 7, share: false })
    // Who knows the password can come and see what is wrong.
    const session = await rig.login()
    expect(session.status).toBe(200)
    // Nothing half is left behind.
    expect(readdirSync(disk.outside).filter((name) => /\.(tmp|next)$/.test(name))).toEqual([])

    disk.makeRoom()
    await rig.until('fine')
    expect(rig.read('running.json')).toBe(running)
    expect((await post(`/fulfill/${first.id}`, { claim_token: first.claim_token, result: 1 })).status).toBe(200)
    expect((await post(`/fail/${second.id}`, { claim_token: second.claim_token, error: 'no' })).status).toBe(200)
    expect((await post(`/extend_claim/${third.id}`, { claim_token: third.claim_token, seconds: 600 })).status).toBe(200)
    const later = await rig.publish(4, 'later')
    expect((await waiting).json).toMatchObject({ id: later })
    expect((await rig.control('settings.change', { fulfilledDays: 9 })).status).toBe(200)
    expect((await rig.control('keys.rotateMain', { password: rig.password })).status).toBe(200)

    expect(await rig.bus.kill('SIGTERM')).toEqual<Exit>({ code: 0, signal: null })
    const db = rig.database()
    expect(db.prepare('SELECT goal, status, count(*) FROM intents GROUP BY 1, 2 ORDER BY 1, 2').raw().all()).toEqual([
      ['later', 1, 1],
      ['work', 0, 1],
      ['work', 1, 1],
      ['work', 2, 1]
    ])
    expect(db.prepare('SELECT count(*) FROM sessions').pluck().get()).toBe(1)
    db.close()
    expect(rig.bus.stderr).toContain('The disk of the bus is full')
    expect(rig.bus.stderr).toContain('the storage is fine again')
  })

  test('every check-up fails and says which disk it is, with one cure', { timeout: 60_000 }, async () => {
    await using rig = await Rig.start()
    const { disk } = rig
    const headless = `import(${JSON.stringify(pathToFileURL(BUILT_HEADLESS))}).then(({ runDoctor }) => runDoctor())`
    const doctor = (...args: readonly string[]): Promise<Output> => outputOf(disk, args)
    const fine = await doctor(CLI, 'doctor')
    expect(fine).toMatchObject({ code: 0, text: expect.stringMatching(/^ok +disk /m) })
    expect(await doctor('-e', headless)).toMatchObject({ code: 0, text: expect.stringMatching(/^ok +space .* are free on the disk with /m) })
    disk.fill()
    const outside = await doctor('-e', headless)
    expect(outside).toMatchObject({ code: 1, text: expect.stringContaining(`the one with ${disk.path}`) })
    expect(outside.text).toMatch(/^FAIL +space +Less than 1 MB is left/m)
    expect(outside.text.match(/Make room/g)).toHaveLength(1)
    expect((await rig.post('/intent', { goal: 'work', payload: 'x'.repeat(7_000) })).status).toBe(503)
    await rig.until('full')
    const space = ((await rig.control('doctor.run')).json.value as { name: string }[]).find(({ name }) => name === 'space')
    expect(space).toMatchObject({ outcome: 'trouble', text: expect.stringContaining(disk.path), next: expect.stringMatching(/^Make room on it\./) })
    const remote = await doctor(CLI, 'doctor')
    expect(remote).toMatchObject({ code: 1, text: expect.stringMatching(/^FAIL +disk .*the one with .*Make room on it/m) })
    expect(`${outside.text}${remote.text}`).not.toContain('bound')
  })

  test('a lease that runs out meanwhile is over once there is room, and the intent is claimed again', { timeout: 60_000 }, async () => {
    await using rig = await Rig.start({ BUS_CLAIM_TIMEOUT_SECONDS: '2' })
    const id = await rig.publish(1)
    const lease = (await rig.post('/claim?goal=work')).json
    rig.disk.fill()
    expect((await rig.post('/intent', { goal: 'work', payload: 'x'.repeat(5_000) })).status).toBe(503)
    await new Promise((resolve) => setTimeout(resolve, 3_000))
    expect((await rig.get(`/status/${id}`)).status).toBe(200)
    expect(await rig.post('/claim?goal=work')).toMatchObject(REFUSED)
    rig.disk.makeRoom()
    await rig.until('fine')
    const again = (await rig.post('/claim?goal=work&wait=5')).json
    expect(again).toMatchObject({ id })
    expect(again.claim_token).not.toBe(lease.claim_token)
    expect((await rig.post(`/fulfill/${id}`, { claim_token: lease.claim_token, result: 1 })).status).toBe(404)
    expect((await rig.post(`/fulfill/${id}`, { claim_token: again.claim_token, result: 2 })).status).toBe(200)
  })

  test('again and again under load, nothing acknowledged is lost or doubled', { timeout: 90_000 }, async () => {
    // Room for the log, which may grow to some 16 MB.
    await using rig = await Rig.start({}, 96)
    const published = new Set<string>()
    const fulfilled = new Set<string>()
    let refused = 0
    let isOver = false
    const work = async (worker: number): Promise<void> => {
      for (let n = 0; !isOver; n++) {
        await new Promise((resolve) => setTimeout(resolve, 5))
        const { status, json } = await rig.post('/intent', { goal: 'load', payload: { worker, n, text: 'x'.repeat(500) } })
        if (status === 201) published.add(json.id as string)
        else refused += Number(status === 503)
        const claimed = await rig.post('/claim?goal=load')
        if (claimed.status !== 200) continue
        const { id, claim_token } = claimed.json
        const settled = await rig.post(`/fulfill/${id}`, { claim_token, result: n })
        if (settled.status !== 200) continue
        expect(fulfilled.has(id)).toBe(false)
        fulfilled.add(id)
      }
    }
    const load = Promise.all(Array.from({ length: 4 }, (_, worker) => work(worker)))
    for (let round = 0; round < 4; round++) {
      await new Promise((resolve) => setTimeout(resolve, 250))
      rig.disk.fill()
      await rig.until('full')
      rig.disk.makeRoom()
      await rig.until('fine')
    }
    isOver = true
    await load
    expect(refused).toBeGreaterThan(0)
    await rig.bus.kill('SIGKILL')
    const db = rig.database()
    const stored = new Map(db.prepare(`SELECT printf('%014x', n) || tail, status FROM intents`).raw().all() as [string, number][])
    expect([...published].filter((id) => !stored.has(id))).toEqual([])
    expect([...fulfilled].filter((id) => stored.get(id) !== 2)).toEqual([])
    const counted = db.prepare('SELECT status, count(*) FROM intents GROUP BY status ORDER BY status').raw().all()
    expect(db.prepare('SELECT status, sum(count) FROM tallies GROUP BY status HAVING sum(count) <> 0 ORDER BY status').raw().all()).toEqual(counted)
    db.close()
  })

  test('the log loses lines, and goes on once there is room', async () => {
    using disk = await SmallDisk.create(4)
    const file = join(disk.outside, 'logs', 'bus.log')
    const log = createLog('info', file)
    const say = async (text: string): Promise<void> => {
      log.info(text)
      await flushLog(1_000)
    }
    await say('before')
    disk.fill()
    for (let n = 0; n < 100; n++) await say(`lost ${n} ${'x'.repeat(1_000)}`)
    disk.makeRoom()
    await say('after')
    await say('the end')
    const lines = readFileSync(file, 'utf8').trim().split('\n')
    expect(lines[0]).toContain('before')
    expect((JSON.parse(lines.at(-1)!) as { msg: string }).msg).toBe('the end')
  })

  test('a first start says why it cannot, leaves nothing half, and goes well once there is room', { timeout: 60_000 }, async () => {
    using disk = await SmallDisk.create(8)
    disk.fill()
    const bus = BusProcess.spawn(disk.path, {}, [], disk)
    expect(await bus.exited).toEqual<Exit>({ code: 1, signal: null })
    const lines = bus.stderr.trim().split('\n')
    expect(lines).toHaveLength(1)
    expect(JSON.parse(lines[0]!).msg).toMatch(/^The disk with the database .* takes nothing \(SQLITE_FULL: .*\); make room on it or restore access, then start the bus again\.$/)
    disk.makeRoom()
    await using again = await BusProcess.start(disk.path, {}, [], disk)
    expect(again.stderr).toBe('')
  })

  test('after a crash it comes up all the same, and serves what it has', { timeout: 60_000 }, async () => {
    await using rig = await Rig.start()
    const id = await rig.publish(1)
    await rig.bus.kill('SIGKILL')
    rig.disk.fill()
    await using bus = await BusProcess.start(rig.disk.path, {}, [], rig.disk)
    const headers = { 'X-API-KEY': rig.read('main.key') }
    expect((await ask(bus.url, { path: `/status/${id}`, headers })).json.status).toBe('open')
    const refusal = await ask(bus.url, { method: 'POST', path: '/intent', headers, body: { goal: 'g', payload: 'x'.repeat(7_000) } })
    expect(refusal).toMatchObject(REFUSED)
    rig.disk.makeRoom()
    await expect.poll(() => existsSync(join(rig.disk.outside, 'running.json')) && rig.read('running.json').includes(bus.url), { timeout: 15_000 }).toBe(true)
    expect((await ask(bus.url, { method: 'POST', path: '/intent', headers, body: { goal: 'g', payload: 1 } })).status).toBe(201)
  })
})

test.skipIf(trouble !== undefined)('in a folder that may not be written to, a start says so and changes nothing', { timeout: 60_000 }, async () => {
  await using rig = await Rig.start()
  await rig.publish(1)
  await rig.bus.kill('SIGTERM')
  rig.disk.remount('ro')
  const bus = BusProcess.spawn(rig.disk.path, {}, [], rig.disk)
  expect(await bus.exited).toEqual<Exit>({ code: 2, signal: null })
  expect(bus.stderr).toContain('cannot be written to (EROFS)')
  rig.disk.remount('rw')
  await using again = await BusProcess.start(rig.disk.path, {}, [], rig.disk)
  expect(again.url).not.toBe('')
})
