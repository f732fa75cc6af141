import { UnusableDatabaseError } from './bus/store/database.ts'
import { builtBeside } from './built.ts'
import { greeting } from './announce.ts'
import { APP_VERSION } from './app-info.ts'
import { ConfigError, readConfig } from './config.ts'
import { headlessHost } from './headless-host.ts'
import { createLog, flushLog, type Log } from './log.ts'
import type { SecretPlace } from './secrets.ts'
import { serve, type Service } from './serve.ts'

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
  /** Says in one sentence why the bus cannot start. */
  readonly refuse: (log: Log, sentence: string) => void
}

/** Runs the bus in this process until a signal ends it. */
async function runHeadless(options: HeadlessOptions): Promise<void> {
  // Who reads what is printed may go; the bus stays.
  process.stdout.on('error', () => {})
  let log = createLog('info')
  let stop: (signal: NodeJS.Signals) => void = (signal) => process.exit(signal === 'SIGINT' ? 130 : 143)
  process.on('SIGTERM', () => stop('SIGTERM'))
  process.on('SIGINT', () => stop('SIGINT'))
  let service: Service
  try {
    const config = readConfig(options.env)
    log = createLog(config.logLevel)
    const host = headlessHost(config)
    for (const notice of host.notices) log.warn(notice)
    service = await serve({
      config,
      log,
      host,
      ...readArguments(options.args),
      readerEntry: readerEntry(),
      built: builtBeside(import.meta.url)
    })
  } catch (error) {
    process.exitCode = error instanceof ConfigError ? EXIT_BAD_SETTING : EXIT_FAILED
    const isExpected = error instanceof ConfigError || error instanceof UnusableDatabaseError
    if (!isExpected) log.fatal({ err: error }, 'the bus cannot start')
    options.refuse(log, isExpected ? (error as Error).message : `The bus cannot start: ${(error as Error).message}.`)
    return
  }
  stop = (signal) => {
    stop = () => {}
    options.event({ event: 'stopping', signal })
    setTimeout(() => process.exit(EXIT_FAILED), LAST_RESORT_MS).unref()
    void close(service, log, options)
  }
  stopWithNpm(() => stop('SIGTERM'))
  options.announce(service)
}

async function close(service: Service, log: Log, { event }: HeadlessOptions): Promise<void> {
  let code = 0
  try {
    await service.close(GRACE_MS)
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

function readArguments(args: readonly string[]) {
  const unknown = args.find((arg) => arg !== '--rotate-main-key' && arg !== '--rotate-dashboard-password')
  if (unknown !== undefined) {
    throw new ConfigError(`${unknown} is not an option; there are --rotate-main-key and --rotate-dashboard-password.`)
  }
  return {
    rotateMainKey: args.includes('--rotate-main-key'),
    rotateDashboardPassword: args.includes('--rotate-dashboard-password')
  }
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
    refuse: (_log, sentence) => void process.stderr.write(`${sentence}\n`)
  })
}

// The build starts with `npm start`, which imports it, or by itself.
if (import.meta.main) await runForMachines(process.argv.slice(2))
