import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { join } from 'node:path'
import { BusProcess, cleanEnvironment } from '../support/bus-process.ts'
import { diesWithUs } from './children.ts'

/** A server under test, in a process of its own. */
export interface Server extends AsyncDisposable {
  readonly url: string
  readonly key: string
  readonly pid: number
}

export interface BusServer extends Server {
  readonly adminToken: string
  readonly databasePath: string
}

/** Where a bus with this data directory keeps its database. */
export function databaseIn(dataDir: string): string {
  return join(dataDir, 'bench.db')
}

/** The built headless bus, with every setting at its default but for names and ports. */
export async function startBus(dataDir: string): Promise<BusServer> {
  const adminToken = randomBytes(16).toString('hex')
  const databasePath = databaseIn(dataDir)
  const bus = await BusProcess.start(dataDir, { BUS_DB_PATH: databasePath, BUS_ADMIN_SECRET: adminToken })
  diesWithUs(bus.process)
  return {
    url: bus.url,
    key: bus.mainKey,
    pid: bus.process.pid!,
    adminToken,
    databasePath,
    [Symbol.asyncDispose]: () => bus[Symbol.asyncDispose]()
  }
}

/** node:http alone: what bare.ts answers. */
export function startBare(): Promise<Server> {
  return startScript('bare.ts', 'none', {})
}

/** The bus with a transaction for every request: bus-per-request.ts. */
export function startBusPerRequest(dataDir: string): Promise<Server> {
  const key = randomBytes(16).toString('hex')
  return startScript('bus-per-request.ts', key, { BUS_DATA_DIR: dataDir, BUS_SECRET: key })
}

/** A script of this folder that prints one JSON line with its `url` once it listens. */
async function startScript(name: string, key: string, env: Readonly<Record<string, string>>): Promise<Server> {
  const child = spawn(process.execPath, [join(import.meta.dirname, name)], {
    env: { ...cleanEnvironment(), ...env },
    stdio: ['ignore', 'pipe', 'inherit']
  })
  diesWithUs(child)
  const ended = once(child, 'exit')
  const failed = ended.then(([code]: unknown[]) => {
    throw new Error(`${name} ended with ${String(code)} before it listened.`)
  })
  failed.catch(() => {})
  const [line] = (await Promise.race([once(child.stdout.setEncoding('utf8'), 'data'), failed])) as [string]
  const { url } = JSON.parse(line) as { url: string }
  return {
    url,
    key,
    pid: child.pid!,
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      await ended
    }
  }
}
