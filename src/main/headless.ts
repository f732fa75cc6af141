import { existsSync } from 'node:fs'
import type { BackupView, DamageView, Recovery } from '../shared/control/backup-views.ts'
import { BusDamagedError } from './backups/damaged.ts'
import { RecoveryError } from './backups/restore.ts'
import { backupFolderOf } from './backups/safety-net.ts'
import { moment } from './backups/words.ts'
import { UnusableDatabaseError } from './bus/store/database.ts'
import { builtBeside } from './built.ts'
import { greeting } from './announce.ts'
import { APP_VERSION } from './app-info.ts'
import { ConfigError, readConfig } from './config.ts'
import { ProtocolError } from '../shared/errors.ts'
import { readArguments } from './headless-arguments.ts'
import { examineFolder } from './doctor/of-folder.ts'
import { doctorLines } from './doctor/print.ts'
import { headlessHost } from './headless-host.ts'
import { createLog, flushLog, type Log } from './log.ts'
import type { SecretPlace } from './secrets.ts'
import { serve, type ServeOptions, type Service } from './serve.ts'

/** Exit codes: 2 says that a setting must be changed first, 1 that something went wrong. */
const EXIT_BAD_SETTING = 2
const EXIT_FAILED = 1

/** Requests under way get this many milliseconds when the bus is told to stop. */
const GRACE_MS = 3_500
/** Whatever hangs, the process is gone after this many. */
const LAST_RESORT_MS = 4_700
const PARENT_CHECK_MS = 500
const LOG_PATIENCE_MS = 200

interface HeadlessOptions {
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string | undefined>>
  /** Says that the bus is up. */
  readonly announce: (service: Service) => void
  /** Says that it is stopping, and that it has stopped. */
  readonly event: (event: object) => void
  /** Tells the backups that there are, newest first. */
  readonly list: (backups: readonly BackupView[]) => void
  /** Says why the bus cannot start, and what to do. */
  readonly refuse: (log: Log, sentence: string) => void
}

/** Runs the bus in this process until a signal ends it. */
async function runHeadless(options: HeadlessOptions): Promise<void> {
  // Who reads what is printed may go; the bus stays.
  process.stdout.on('error', () => {})
  const ending = new AbortController()
  let log = createLog('info')
  /** The bus, also while it starts; undefined where it cannot. */
  let current: Promise<Service | undefined> = Promise.resolve(undefined)
  let stop = (signal: NodeJS.Signals): void => {
    stop = () => {}
    options.event({ event: 'stopping', signal })
    ending.abort()
    setTimeout(() => process.exit(EXIT_FAILED), LAST_RESORT_MS).unref()
    void current.then((service) => close(service, log, options))
  }
  process.on('SIGTERM', () => stop('SIGTERM'))
  process.on('SIGINT', () => stop('SIGINT'))
  stopWithNpm(() => stop('SIGTERM'))

  const start = async (serving: ServeOptions): Promise<Service | undefined> => {
    try {
      const service = await serve(serving)
      if (!ending.signal.aborted) options.announce(service)
      return service
    } catch (error) {
      refuse(error, log, options)
      return undefined
    }
  }
  try {
    const config = readConfig(options.env)
    log = createLog(config.logLevel)
    const { listsBackups, ...asked } = readArguments(options.args)
    if (listsBackups) {
      options.list(backupFolderOf(config.dataDir).list())
      return
    }
    const host = headlessHost(config)
    for (const notice of host.notices) log.warn(notice)
    const again = async (service: Service | undefined): Promise<Service | undefined> => {
      if (service === undefined || ending.signal.aborted) return service
      options.event({ event: 'restarting' })
      const next = await service.close(GRACE_MS).then(
        () => start(same),
        (error: unknown) => void refuse(error, log, options)
      )
      if (next === undefined) {
        await flushLog(LOG_PATIENCE_MS)
        process.exit()
      }
      return next
    }
    const same: ServeOptions = {
      config,
      log,
      host,
      readerEntry: readerEntry(),
      built: builtBeside(import.meta.url),
      ending: ending.signal,
      // It may be asked for as soon as the bus listens, and waits for its start.
      restart: () => void (current = current.then(again))
    }
    current = start({ ...same, ...asked })
  } catch (error) {
    refuse(error, log, options)
  }
  await current
}

/** Says why the bus cannot start; the process ends by itself. */
function refuse(error: unknown, log: Log, options: HeadlessOptions): void {
  const isMisused = error instanceof ConfigError || error instanceof RecoveryError
  process.exitCode = isMisused ? EXIT_BAD_SETTING : EXIT_FAILED
  const isExpected = isMisused || error instanceof UnusableDatabaseError || error instanceof ProtocolError
  if (!isExpected) log.fatal({ err: error }, 'the bus cannot start')
  const { message } = error as Error
  const whatToDo = error instanceof BusDamagedError ? ` It is left as it is. ${waysOut(error.view)}` : ''
  options.refuse(log, isExpected ? message + whatToDo : `The bus cannot start: ${message}.`)
}

/** What a damaged database can be started with. */
function waysOut({ newest, recoveries }: DamageView): string {
  const ways: Readonly<Record<Recovery, string>> = {
    readable: '--keep-readable goes on with what can be read of its log',
    newest: `--restore-backup newest restores the backup of ${newest === null ? '' : moment(newest.at)} and sets aside what is there`,
    empty: '--start-empty sets aside what is there and begins with an empty one'
  }
  return `${recoveries.map((recovery) => ways[recovery]).join('; ')}.`
}

/** Ends the process; `service` is undefined where the bus could not start. */
async function close(service: Service | undefined, log: Log, { event }: HeadlessOptions): Promise<void> {
  let code = process.exitCode ?? 0
  try {
    await service?.close(GRACE_MS)
    event({ event: 'stopped' })
  } catch (error) {
    log.fatal({ err: error }, 'the bus could not be closed')
    code = EXIT_FAILED
  }
  await flushLog(LOG_PATIENCE_MS)
  process.exit(code)
}

/** A signal for npm ends the shell between npm and this process and is not passed on; the shell's end tells it. */
function stopWithNpm(stop: () => void): void {
  if (process.env.npm_lifecycle_event === undefined || process.platform === 'win32') return
  const shell = process.ppid
  const timer = setInterval(() => {
    if (process.ppid === shell) return
    clearInterval(timer)
    stop()
  }, PARENT_CHECK_MS)
  timer.unref()
}

/** The module of the reading thread lies beside this one, in the sources as in the build. */
function readerEntry(): URL {
  return new URL(import.meta.url.endsWith('.ts') ? './reader.ts' : './reader.js', import.meta.url)
}

function where(place: SecretPlace): object {
  return place.in === 'environment' ? { environment: place.variable } : { [place.in === 'file' ? 'file' : 'missing_file']: place.path }
}

/** The machine's way of running the bus: one JSON line per event on standard output. */
export function runForMachines(args: readonly string[]): Promise<void> {
  const print = (event: object) => void process.stdout.write(`${JSON.stringify(event)}\n`)
  return runHeadless({
    args,
    env: process.env,
    event: print,
    announce: ({ url, interfaceUrl, shared, mainKey, dashboardPassword }) =>
      print({
        event: 'listening',
        pid: process.pid,
        url,
        interface: interfaceUrl,
        ...shared,
        main_key: where(mainKey.place),
        dashboard_password: where(dashboardPassword.place),
        version: APP_VERSION
      }),
    list: (backups) => backups.forEach(({ id, kind, at, bytes }) => print({ id, kind, at: new Date(at * 1000).toISOString(), bytes })),
    refuse: (log, sentence) => log.fatal(sentence)
  })
}

/** The same bus for a person at a terminal; `reason` says why there is no window. */
export function runForPeople(args: readonly string[], reason: string): Promise<void> {
  return runHeadless({
    args,
    // Lines about requests that were refused would bury what a person is told here.
    env: { BUS_LOG_LEVEL: 'warn', ...process.env },
    event: () => {},
    announce: (service) => void process.stdout.write(greeting(service, reason)),
    list: (backups) => void process.stdout.write(backups.map(({ id, at }) => `${id}  (${moment(at)})\n`).join('') || 'There are no backups.\n'),
    refuse: (_log, sentence) => void process.stderr.write(`${sentence}\n`)
  })
}

/** Examines the data directory, prints what was found, and starts nothing. The exit code is 1 where something must be mended, and 2 for `args`. */
export async function runDoctor(args: readonly string[] = []): Promise<void> {
  try {
    if (args.length > 0) throw new ConfigError(`The doctor takes no arguments, but got ${args.join(' ')}. BUS_DATA_DIR and BUS_DB_PATH name what it examines.`)
    const config = readConfig(process.env)
    if (!existsSync(config.dataDir)) throw new ConfigError(`There is no folder ${config.dataDir}; start the bus once, or name its folder with BUS_DATA_DIR.`)
    const checks = await examineFolder(config, Date.now() / 1000)
    process.stdout.write(`The bus in ${config.dataDir}\n\n${doctorLines(checks).join('\n')}\n`)
    if (checks.some(({ outcome }) => outcome === 'trouble')) process.exitCode = EXIT_FAILED
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    process.stderr.write(`${error.message}\n`)
    process.exitCode = EXIT_BAD_SETTING
  }
}

// The build starts with `npm start`, which imports it, or by itself.
if (import.meta.main) await runForMachines(process.argv.slice(2))
