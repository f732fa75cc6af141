import { assemble, type Faces } from './assemble.ts'
import { RecoveryError } from './backups/restore.ts'
import { SafetyNet, type AskedRecovery } from './backups/safety-net.ts'
import type { Safety } from './backups/safety.ts'
import { Bus, type BusOptions } from './bus/bus.ts'
import { systemClock } from './bus/clock.ts'
import { systemRandom } from './bus/random.ts'
import { isDiskTrouble, sqliteCode, unreadable, UnusableDatabaseError, withoutDisk } from './bus/store/database.ts'
import type { Built } from './built.ts'
import { ConfigError, type Config } from './config.ts'
import type { Control } from './control/control.ts'
import { DataDirectory, type RunningBus } from './data-directory.ts'
import { isReadableByOthers } from './file-vault.ts'
import { HostClock } from './host-clock.ts'
import type { Host } from './host.ts'
import { INTERFACE_PATH } from './http/routes/client.ts'
import { ProtocolError } from '../shared/errors.ts'
import { ListenError } from './net/listen-error.ts'
import type { Sharing } from './lan/sharing.ts'
import type { Listener } from './net/listener.ts'
import type { Log } from './log.ts'
import { Secret, type SecretOptions } from './secrets.ts'
import { SettingsFile, SETTINGS_FILE } from './settings.ts'
import { StartRecord } from './start-record.ts'

/** Where other machines reach a bus, and by what they know it. */
export type SharedAs = Required<Pick<RunningBus, 'shared' | 'pin' | 'fingerprint'>>

/** A bus that serves. */
export interface Service {
  readonly control: Control
  /** undefined while the port cannot be had. */
  readonly url: string | undefined
  readonly interfaceUrl: string | undefined
  /** undefined while other machines do not reach it. */
  readonly shared: SharedAs | undefined
  readonly mainKey: Secret
  readonly dashboardPassword: Secret
  /** The system says that it is about to sleep, and that it is awake again. */
  sleeps(): void
  wakes(): void
  /** Answers what is under way and closes the database; `grace` bounds the waiting, in milliseconds. */
  close(grace: number): Promise<void>
}

export interface ServeOptions {
  readonly config: Config
  readonly log: Log
  readonly host: Host
  readonly readerEntry: URL
  readonly built: Built
  /** Goes on without a listener when the port cannot be had: the desktop's window can say so and change it. */
  readonly tolerateListenTrouble?: boolean
  /** Closes the service and starts it again: a backup is to take the place of the database. */
  readonly restart: () => void
  /** Aborted when the process is told to end: a start that this cuts short did not crash. */
  readonly ending?: AbortSignal
  /** What this start is to do about its database before it opens it. */
  readonly recovery?: AskedRecovery | undefined
  readonly rotateMainKey?: boolean
  readonly rotateDashboardPassword?: boolean
}

const STARTS_FILE = 'starts.json'

/**
 * Starts the whole bus on its data directory: lock, settings, database, secrets, listener. Desktop and headless alike.
 * Throws ConfigError, UnusableDatabaseError or RecoveryError with a sentence for the user, and what nobody expects; then nothing is
 * left running. What nobody expects counts as a crash of this start.
 */
export async function serve(options: ServeOptions): Promise<Service> {
  const { config, ending } = options
  const directory = DataDirectory.take(config.dataDir, config.databasePath)
  const starts = new StartRecord(directory.file(STARTS_FILE), systemClock)
  const endsInOrder = (): void => starts.ended()
  ending?.addEventListener('abort', endsInOrder)
  try {
    const service = await serveFrom(directory, starts, options)
    starts.begun()
    return service
  } catch (error) {
    if (isForUser(error)) starts.ended()
    directory.release()
    throw isOfDisk(error) ? withoutFiles(config.dataDir, error) : error
  } finally {
    ending?.removeEventListener('abort', endsInOrder)
  }
}

/** What another start does not meet once its user has seen to it; any other error counts as a crash. */
function isForUser(error: unknown): boolean {
  return error instanceof ConfigError || error instanceof UnusableDatabaseError || error instanceof RecoveryError || isOfDisk(error)
}

function isOfDisk(error: unknown): error is ProtocolError {
  return error instanceof ProtocolError && error.code === 'storage_unavailable'
}

/** What the start has to write and cannot, as a secret at the very first one. */
function withoutFiles(dataDir: string, { message }: ProtocolError): Error {
  return new UnusableDatabaseError(`The bus cannot start in ${dataDir}: ${message.charAt(0).toLowerCase()}${message.slice(1)}`)
}

/** What a start has opened so far, in the order in which it did. */
interface Opened {
  readonly clock: HostClock
  bus?: Bus
  safety?: Safety
  faces?: Faces
}

async function serveFrom(directory: DataDirectory, starts: StartRecord, options: ServeOptions): Promise<Service> {
  const opened: Opened = { clock: new HostClock() }
  try {
    return await open(opened, directory, starts, options)
  } catch (error) {
    await closeAll(opened, 0).catch((err: unknown) => options.log.error({ err }, 'what a start has opened could not be closed'))
    throw error
  }
}

async function open(opened: Opened, directory: DataDirectory, starts: StartRecord, options: ServeOptions): Promise<Service> {
  const { config, host, log, readerEntry, built } = options
  const { clock } = opened
  const { isCareful } = starts
  const settings = new SettingsFile(directory.file(SETTINGS_FILE), config)
  const sayRollback = logSometimes((err) => log.error({ err }, 'the database did not take a transaction'))
  const net = new SafetyNet({ config, host, log, clock })
  await net.prepare(options.recovery)
  const bus = openBus(net, {
    path: config.databasePath,
    clock,
    gapSource: clock,
    withoutCleanup: isCareful,
    random: systemRandom(),
    readerEntry,
    claimTimeout: config.claimTimeout,
    cleanupInterval: config.cleanupInterval,
    onGaps: (gaps) => {
      for (const gap of gaps) log.info(gap, gap.cause === 'sleep' ? 'the machine slept' : 'the clock was set')
      if (!isCareful) void opened.faces?.sharing.look()
      opened.faces?.feed.noteGap()
    },
    onCleanup: (report) => log.info(report, 'cleanup'),
    onCleanupError: (err) => log.error({ err }, 'cleanup failed; it is tried again in a minute'),
    onRollback: (error) => {
      sayRollback(error)
      opened.safety?.failed(error)
    },
    onUnreadable: (problem) => opened.safety?.damaged(problem)
  })
  opened.bus = bus
  const safety = net.over(bus, { threadEntry: built.backupEntry, isCareful, feed: () => opened.faces?.feed, restart: options.restart })
  opened.safety = safety
  const { mainKey, dashboardPassword } = await findSecrets(bus, options)
  noteRotations(bus, options)
  // Whoever has opened a session with the old password is out, as after a change in the interface.
  if (options.rotateDashboardPassword === true) await bus.sessions.endAll()
  opened.faces = assemble({
    bus,
    clock,
    random: systemRandom(),
    config,
    settings,
    host,
    log,
    mainKey,
    password: dashboardPassword,
    built,
    safety,
    ...(isCareful && { notices: [carefulStart(starts.crashes, log)], keepsSharingOff: true }),
    announce: (listener, sharing) => announce(directory, log, listener, sharing)
  })
  const { control, listener, sharing, storage } = opened.faces
  await storage.look()
  await listen(listener, settings.values.port, options)
  if (!isCareful) await sharing.look()
  announce(directory, log, listener, sharing)
  await applySettings(settings, options)
  return {
    control,
    get url() {
      return urlOf(listener)
    },
    get interfaceUrl() {
      const url = urlOf(listener)
      return url && url + INTERFACE_PATH
    },
    get shared() {
      return sharedAs(sharing)
    },
    mainKey,
    dashboardPassword,
    sleeps: () => clock.sleeps(),
    wakes: () => clock.wakes(),
    async close(grace) {
      try {
        await closeAll(opened, grace)
      } finally {
        starts.ended()
        directory.release()
      }
    }
  }
}

/** Closes what was opened, whatever becomes of the parts of it; `grace` in milliseconds. Rejects with the first error, once all is done. */
async function closeAll({ clock, bus, safety, faces }: Opened, grace: number): Promise<void> {
  await inTurn([
    () => faces?.storage.close(),
    () => faces?.imports.close(),
    () => safety?.close(),
    // Pages that follow events never end by themselves.
    () => faces?.feed.close(),
    // Workers ask again once the bus is back.
    () => allEnded([faces?.pairing.close(), faces?.listener.close(grace), faces?.sharing.close(grace), bus?.endWaits(true)]),
    () => bus?.close(),
    () => clock.close()
  ])
}

/** Rejects with the first error, once all have come to their end. */
async function allEnded(endings: readonly unknown[]): Promise<void> {
  const failed = (await Promise.allSettled(endings)).find(({ status }) => status === 'rejected')
  if (failed?.status === 'rejected') throw failed.reason
}

/** Takes all steps, one after the other, and rejects with the first error at the end. */
async function inTurn(steps: readonly (() => unknown)[]): Promise<void> {
  const errors: unknown[] = []
  for (const step of steps) {
    try {
      await step()
    } catch (error) {
      errors.push(error)
    }
  }
  if (errors.length > 0) throw errors[0]
}

/** Says what was left out of a start after many that crashed. */
function carefulStart(crashes: number, log: Log): string {
  const notice = `The bus ended by itself ${crashes} times in a row, each time soon after its start. To be reachable it now runs without sharing, cleanup and backups. See its log, then start it again to have all of it.`
  log.error(notice)
  return notice
}

/** The rotations that the start was asked for; they have been done. */
function noteRotations({ audit }: Bus, { host, rotateMainKey, rotateDashboardPassword }: ServeOptions): void {
  const by = { actor: host.shell, address: '' }
  if (rotateMainKey === true) audit.note({ ...by, event: 'key.rotated', subject: 'main' })
  if (rotateDashboardPassword === true) audit.note({ ...by, event: 'password.changed' })
}

function urlOf({ state }: Listener): string | undefined {
  return state.state === 'listening' ? state.url : undefined
}

/** How a bus is reached and known by other machines; undefined while it is not. */
function sharedAs({ urls, identity }: Sharing): SharedAs | undefined {
  return urls.length === 0 || identity === undefined ? undefined : { shared: urls, pin: identity.pin, fingerprint: identity.fingerprint }
}

function announce(directory: DataDirectory, log: Log, listener: Listener, sharing: Sharing): void {
  const url = urlOf(listener)
  const running = { pid: process.pid, ...(url !== undefined && { url }), ...sharedAs(sharing) }
  if (!directory.announce(running)) log.warn('the disk does not take running.json: other programs of this machine do not find the bus by it')
}

async function listen(listener: Listener, port: number, { log, tolerateListenTrouble }: ServeOptions): Promise<void> {
  try {
    await listener.listen(port)
  } catch (error) {
    if (!(error instanceof ListenError)) throw error
    if (tolerateListenTrouble !== true) throw new ConfigError(error.message)
    log.error(error.message)
  }
}

/** What the surroundings refuse at the start is no reason not to start. */
async function applySettings(settings: SettingsFile, { host, log }: ServeOptions): Promise<void> {
  try {
    await host.applySettings(settings.values)
  } catch (error) {
    log.warn((error as Error).message)
  }
}

/** A damaged table shows only when it is read. */
function openBus(net: SafetyNet, options: BusOptions): Bus {
  try {
    return new Bus(options)
  } catch (error) {
    if (isDiskTrouble(error)) throw withoutDisk(options.path, error)
    throw net.explain(sqliteCode(error) === undefined ? error : unreadable(options.path, error))
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

async function findSecrets(bus: Bus, options: ServeOptions) {
  const { config, host, log } = options
  const mainKey: SecretOptions = {
    meta: bus.meta,
    vault: host.vault,
    name: 'main_key_digest',
    given: config.secret,
    variable: 'BUS_SECRET',
    slot: 'main.key',
    prefix: 'bus_'
  }
  const dashboardPassword: SecretOptions = {
    meta: bus.meta,
    vault: host.vault,
    name: 'dashboard_password_digest',
    given: config.dashboardPassword,
    variable: 'DASHBOARD_PASSWORD',
    slot: 'dashboard.password',
    prefix: ''
  }
  const { rotateMainKey = false, rotateDashboardPassword = false } = options
  // Both or neither: a start that is refused changes nothing.
  if (rotateMainKey) refuseIfGiven(mainKey)
  if (rotateDashboardPassword) refuseIfGiven(dashboardPassword)
  return {
    mainKey: await find(mainKey, rotateMainKey, log),
    dashboardPassword: await find(dashboardPassword, rotateDashboardPassword, log)
  }
}

function refuseIfGiven({ given, variable }: SecretOptions): void {
  if (given === undefined) return
  throw new ConfigError(`${variable} decides this secret; change it there, or unset it to rotate the stored one.`)
}

async function find(options: SecretOptions, mustRotate: boolean, log: Log): Promise<Secret> {
  const secret = await Secret.find(options)
  if (mustRotate) {
    await secret.rotate()
    log.info({ secret: options.slot }, 'rotated: the old secret is refused from now on')
  }
  const { place } = secret
  if (place.in === 'file' && isReadableByOthers(place.path)) {
    log.warn({ file: place.path }, 'other users of this machine can read this secret; run chmod 600 on it')
  }
  return secret
}
