import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { pino } from 'pino'
import type { BackupsView } from '../../src/shared/control/backup-views.ts'
import type { Input, MethodName, Output } from '../../src/shared/control/contract.ts'
import { BackupFolder } from '../../src/main/backups/backup-folder.ts'
import { RecoveryFile } from '../../src/main/backups/recovery-file.ts'
import { Safety, type SafetyOptions } from '../../src/main/backups/safety.ts'
import type { Bus } from '../../src/main/bus/bus.ts'
import type { Vault } from '../../src/main/host.ts'
import type { Log } from '../../src/main/log.ts'
import { BusProcess } from '../support/bus-process.ts'
import { HandClock } from '../support/hand-clock.ts'
import { ask, type HttpAnswer } from '../support/http-client.ts'

const ADMIN = 'admin-of-the-backups'

/** A bus in a process of its own, with what these tests do to it. */
export class BackedBus implements AsyncDisposable {
  readonly process: BusProcess

  constructor(process: BusProcess) {
    this.process = process
  }

  static async start(dataDir: string, args: readonly string[] = [], env: Readonly<Record<string, string>> = {}): Promise<BackedBus> {
    return new BackedBus(await BusProcess.start(dataDir, { BUS_ADMIN_SECRET: ADMIN, ...env }, args))
  }

  /** Starts one that is to be refused; the answer is what it says, and its exit code. */
  static async refused(dataDir: string, args: readonly string[] = []): Promise<{ code: number | null; text: string }> {
    await using process = BusProcess.spawn(dataDir, { BUS_ADMIN_SECRET: ADMIN }, args)
    const { code } = await process.exited
    const line = process.stderr.trim().split('\n').findLast((text) => text.includes('"level":60'))
    return { code, text: line === undefined ? process.stderr : (JSON.parse(line) as { msg: string }).msg }
  }

  /** Where it listens now: it has another port after it started again. */
  get url(): string {
    return this.process.events().findLast(({ event }) => event === 'listening')!.url as string
  }

  get starts(): number {
    return this.process.events().filter(({ event }) => event === 'listening').length
  }

  async send(method: string, input: object): Promise<HttpAnswer> {
    return ask(this.url, { method: 'POST', path: `/admin/control/${method}`, headers: { 'X-Admin-Token': ADMIN }, body: input })
  }

  /** The value of a call that must go well. */
  async call<M extends MethodName>(method: M, input: Input<M>): Promise<Output<M>> {
    const { status, json, text } = await this.send(method, input)
    if (status !== 200) throw new Error(`${method}: ${status} ${text}`)
    return json.value as Output<M>
  }

  request(path: string, body: unknown, key = this.process.mainKey): Promise<HttpAnswer> {
    return ask(this.url, { method: 'POST', path, headers: { 'X-API-KEY': key }, body })
  }

  read(path: string, key = this.process.mainKey): Promise<HttpAnswer> {
    return ask(this.url, { path, headers: { 'X-API-KEY': key } })
  }

  /** Publishes; the answer is the ids. */
  async publish(count: number, goal = 'backup'): Promise<string[]> {
    const ids: string[] = []
    for (let n = 0; n < count; n++) {
      const { status, json, text } = await this.request('/intent', { goal, payload: { n } })
      if (status !== 201) throw new Error(`${status} ${text}`)
      ids.push(json.id as string)
    }
    return ids
  }

  async makeBackup(): Promise<Output<'backups.make'>> {
    return this.call('backups.make', {})
  }

  async backups(): Promise<BackupsView['backups']> {
    return (await this.call('backups.list', {})).backups
  }

  /** Restores a backup; resolves when the bus is back. */
  async restore(id: string): Promise<void> {
    const { starts } = this
    await this.call('backups.restore', { id, confirm: true })
    await this.isBack(starts)
  }

  async isBack(starts: number): Promise<void> {
    const ended = this.process.exited.then(() => {
      throw new Error(`The bus ended: ${this.process.stderr}`)
    })
    ended.catch(() => {})
    while (this.starts === starts) await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, 10))])
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.process[Symbol.asyncDispose]()
  }
}

export function databaseIn(dataDir: string): string {
  return join(dataDir, 'infrastructure.db')
}

export function filesIn(dataDir: string): string[] {
  return readdirSync(dataDir).toSorted()
}

/** Ids of all intents in a database that no bus runs on, which must be whole. */
export function idsIn(path: string): Set<string> {
  const db = new Database(path)
  try {
    const found = db.pragma('integrity_check', { simple: true })
    if (found !== 'ok') throw new Error(`${path}: ${String(found)}`)
    return new Set(db.prepare(`SELECT printf('%014x', n) || tail FROM intents`).pluck().all() as string[])
  } finally {
    db.close()
  }
}

/** A port that nobody has right now: for a bus that is to have the same one after it started again. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  return port
}

/** A vault that has nothing. */
export const memoryVault: Vault = {
  place: 'file',
  where: (name) => name,
  read: async () => undefined,
  write: async () => {},
  remove: async () => {}
}

/** What a running bus does so that its database can be lost, around one that only hears that it must not write any more. */
export function safetyOver(dataDir: string, options: Partial<SafetyOptions> = {}): Safety {
  return new Safety({
    bus: { commitCounts: { operations: 0 }, stopWriting: () => {} } as unknown as Bus,
    clock: new HandClock(),
    log: pino({ level: 'silent' }) as Log,
    databasePath: databaseIn(dataDir),
    folder: new BackupFolder(join(dataDir, 'backups')),
    file: new RecoveryFile(join(dataDir, 'restore.json')),
    threadEntry: new URL('../../src/main/backup-thread.ts', import.meta.url),
    prepared: { recovered: undefined, notices: [], isChecked: true },
    isCareful: true,
    onChange: () => {},
    restart: () => {},
    ...options
  })
}
