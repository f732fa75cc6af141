import { Bus, type BusOptions } from './bus/bus.ts'
import { systemClock } from './bus/clock.ts'
import { digestOf } from './bus/keys.ts'
import { systemRandom } from './bus/random.ts'
import { sqliteCode, UnusableDatabaseError } from './bus/store/database.ts'
import { ConfigError, type Config } from './config.ts'
import { DataDirectory } from './data-directory.ts'
import { createApp } from './http/app.ts'
import { HostNames } from './http/hosts.ts'
import { INTERFACE_PATH } from './http/routes/client.ts'
import { HttpServer } from './http/server.ts'
import type { Log } from './log.ts'
import { findSecret, isReadableByOthers, rotateSecret, type Secret, type SecretOptions } from './secrets.ts'

/** A bus that serves. */
export interface Service {
  readonly url: string
  readonly interfaceUrl: string
  readonly mainKey: Secret
  readonly dashboardPassword: Secret
  /** Answers what is under way and closes the database; `grace` bounds the waiting, in milliseconds. */
  close(grace: number): Promise<void>
}

export interface ServeOptions {
  readonly config: Config
  readonly log: Log
  readonly readerEntry: URL
  readonly rotateMainKey?: boolean
  readonly rotateDashboardPassword?: boolean
}

/**
 * Starts the whole bus on its data directory: lock, database, secrets, listener. Desktop and headless alike.
 * Throws ConfigError or UnusableDatabaseError with a sentence for the user; then nothing is left running.
 */
export async function serve(options: ServeOptions): Promise<Service> {
  const { config } = options
  const directory = DataDirectory.take(config.dataDir, config.databasePath)
  try {
    return await serveFrom(directory, options)
  } catch (error) {
    directory.release()
    throw error
  }
}

async function serveFrom(directory: DataDirectory, options: ServeOptions): Promise<Service> {
  const { config, log, readerEntry } = options
  const bus = openBus({
    path: config.databasePath,
    clock: systemClock,
    random: systemRandom(),
    readerEntry,
    claimTimeout: config.claimTimeout,
    cleanupInterval: config.cleanupInterval,
    onCleanupError: (err) => log.error({ err }, 'cleanup failed; it is tried again in a minute'),
    onRollback: logSometimes((err) => log.error({ err }, 'the database did not take a transaction'))
  })
  let server: HttpServer | undefined
  try {
    const { mainKey, dashboardPassword } = findSecrets(bus, directory, options)
    bus.keys.setMain(mainKey.digest)
    const listener = new HttpServer(
      (req, res) => handle(req, res),
      (err) => log.error({ err }, 'a connection could not be accepted')
    )
    server = listener
    const app = createApp({
      ...config,
      bus,
      clock: systemClock,
      random: systemRandom(),
      log,
      hosts: new HostNames(config.host, config.allowedHosts),
      secrets: {
        adminToken: config.adminSecret && digestOf(config.adminSecret),
        dashboardPassword: dashboardPassword.digest,
        metricsToken: config.metricsToken && digestOf(config.metricsToken)
      },
      allowTokenless: config.allowTokenlessWorkers,
      isClosing: () => listener.isClosing
    })
    const handle = app.callback()
    const url = urlOf(config.host, await listen(listener, config))
    directory.announce({ pid: process.pid, url })
    return {
      url,
      interfaceUrl: url + INTERFACE_PATH,
      mainKey,
      dashboardPassword,
      async close(grace) {
        await listener.close(grace)
        await bus.close()
        directory.release()
      }
    }
  } catch (error) {
    await server?.close(0)
    await bus.close()
    throw error
  }
}

/** A damaged table shows only when it is read. */
function openBus(options: BusOptions): Bus {
  try {
    return new Bus(options)
  } catch (error) {
    const code = sqliteCode(error)
    if (code === undefined) throw error
    throw new UnusableDatabaseError(
      `The database ${options.path} cannot be read (${code}: ${(error as Error).message}); restore a copy of it, or set BUS_DB_PATH to another file.`
    )
  }
}

/** A disk in trouble fails every request; saying so every few seconds is enough. */
function logSometimes(say: (error: unknown) => void): (error: unknown) => void {
  let silentUntil = -Infinity
  return (error) => {
    if (performance.now() < silentUntil) return
    silentUntil = performance.now() + 5_000
    say(error)
  }
}

function findSecrets(bus: Bus, directory: DataDirectory, options: ServeOptions) {
  const { config, log } = options
  const mainKey: SecretOptions = {
    meta: bus.meta,
    name: 'main_key_digest',
    given: config.secret,
    variable: 'BUS_SECRET',
    path: directory.file('main.key'),
    prefix: 'bus_'
  }
  const dashboardPassword: SecretOptions = {
    meta: bus.meta,
    name: 'dashboard_password_digest',
    given: config.dashboardPassword,
    variable: 'DASHBOARD_PASSWORD',
    path: directory.file('dashboard.password'),
    prefix: ''
  }
  const rotated = [
    ...(options.rotateMainKey ? [mainKey] : []),
    ...(options.rotateDashboardPassword ? [dashboardPassword] : [])
  ]
  for (const { given, variable } of rotated) {
    if (given === undefined) continue
    throw new ConfigError(`${variable} decides this secret; change it there, or unset it to rotate the stored one.`)
  }
  for (const secret of rotated) {
    rotateSecret(secret)
    log.info({ file: secret.path }, 'rotated: the old secret is refused from now on')
  }
  return { mainKey: find(mainKey, log), dashboardPassword: find(dashboardPassword, log) }
}

function find(options: SecretOptions, log: Log): Secret {
  const secret = findSecret(options)
  const { place } = secret
  if (place.in === 'file' && isReadableByOthers(place.path)) {
    log.warn({ file: place.path }, 'other users of this machine can read this secret; run chmod 600 on it')
  }
  return secret
}

async function listen(server: HttpServer, { host, port }: Config): Promise<number> {
  try {
    return await server.listen(host, port)
  } catch (error) {
    throw new ConfigError(listenTrouble(error as NodeJS.ErrnoException, host, port))
  }
}

function listenTrouble({ code, message }: NodeJS.ErrnoException, host: string, port: number): string {
  if (code === 'EADDRINUSE') {
    return `Port ${port} on ${host} is taken by another program; stop it, or set BUS_PORT to another port (0 for any free one).`
  }
  if (code === 'EACCES') return `Port ${port} on ${host} needs special rights; set BUS_PORT to one from 1024 up.`
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') {
    return `${host} is not an address of this machine; set BUS_HOST to one that is.`
  }
  return `The bus cannot listen on ${host}, port ${port}: ${message}.`
}

/** A listener on all addresses is reached from this machine by loopback. */
function urlOf(host: string, port: number): string {
  const name = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host
  return `http://${name.includes(':') ? `[${name}]` : name}:${port}`
}
