import { createServer } from 'node:net'
import { join } from 'node:path'
import type { DoctorCheck } from '../../shared/control/doctor-views.ts'
import { ConfigError, type Config } from '../config.ts'
import type { RunningBus } from '../data-directory.ts'
import { SettingsFile, SETTINGS_FILE } from '../settings.ts'
import { fine, named, trouble, type Finding } from './finding.ts'

/** Milliseconds after which a bus on this machine does not answer any more. */
const PATIENCE_MS = 3_000

/** The address of the bus that runs on a folder; undefined where none answers. */
export async function findBus(running: RunningBus | undefined): Promise<string | undefined> {
  const { url } = running ?? {}
  return url !== undefined && (await answers(url)) ? url : undefined
}

/** Whether the bus of a folder listens, or could where it is meant to. `url`: where it answers; undefined where none does. */
export async function checkPortOfFolder(config: Config, running: RunningBus | undefined, url: string | undefined): Promise<DoctorCheck> {
  if (url !== undefined) return named('port', fine(`The bus listens at ${url}.`))
  return named('port', (await silentBus(config, running)) ?? (await freePort(config)))
}

/** A bus whose process and port are there, and which does not answer; undefined where there is none. A crash leaves only what it has said. */
async function silentBus({ host }: Config, running: RunningBus | undefined): Promise<Finding | undefined> {
  if (running?.url === undefined || !isAlive(running.pid)) return undefined
  if ((await whyTaken(host, Number(new URL(running.url).port))) === undefined) return undefined
  return trouble(`The bus of this folder does not answer at ${running.url}.`, `End its process ${running.pid}, and start the bus again: npm start.`)
}

async function freePort(config: Config): Promise<Finding> {
  const start = 'Start the bus: npm start.'
  let port: number
  try {
    port = new SettingsFile(join(config.dataDir, SETTINGS_FILE), config).values.port
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return trouble(error.message, 'Until then the bus does not start.')
  }
  if (port === 0) return fine('No bus runs on this folder; it takes any port that is free.', start)
  const code = await whyTaken(config.host, port)
  if (code === undefined) return fine(`No bus runs on this folder; port ${port} is free.`, start)
  const other = 'or set BUS_PORT to another port'
  if (code === 'EADDRINUSE') return trouble(`No bus runs on this folder, and another program has port ${port}.`, `End that program, ${other}.`)
  return trouble(`No bus runs on this folder, and port ${port} of ${config.host} cannot be had (${code}).`, `See that BUS_HOST is an address of this machine, ${other}.`)
}

/** A bus in maintenance refuses, but it is one. */
async function answers(url: string): Promise<boolean> {
  try {
    const response = await fetch(`${url}/health`, { signal: AbortSignal.timeout(PATIENCE_MS) })
    const { ok, error } = (await response.json()) as { readonly ok?: unknown; readonly error?: { readonly code?: unknown } }
    return typeof ok === 'boolean' || typeof error?.code === 'string'
  } catch {
    return false
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

function whyTaken(host: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', ({ code }: NodeJS.ErrnoException) => resolve(code ?? 'unknown'))
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(undefined)))
  })
}
