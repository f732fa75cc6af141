import { realpathSync } from 'node:fs'
import { homedir } from 'node:os'
import { isAbsolute, join, resolve } from 'node:path'
import { DEFAULT_SETTINGS, settingsSchema, type Settings, type SettingName } from '../shared/control/settings.ts'
import { CLEANUP_INTERVAL, DEFAULT_CLAIM_TIMEOUT, SECRET_PATTERN } from '../shared/limits.ts'
import { APP_ID } from './app-info.ts'
import { LOG_LEVELS, type LogLevel } from './log.ts'

/** A setting that cannot be used. The message is one sentence for the user. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
}

/** Settings of sharing. */
export type SharingSettings = Pick<Settings, 'share' | 'sharePort' | 'shareInterface' | 'sharePlain' | 'shareDiscovery' | 'busName'>

/** Everything that the environment decides: SPEC 14's variables and the bus's own. Times are seconds. */
export interface Config {
  readonly dataDir: string
  /** The file itself, where it is there and a link leads to it. */
  readonly databasePath: string
  readonly host: string
  readonly port: number
  readonly logLevel: LogLevel
  readonly secret: string | undefined
  readonly adminSecret: string | undefined
  readonly dashboardPassword: string | undefined
  readonly metricsToken: string | undefined
  readonly trustProxy: boolean
  readonly enforceHttps: boolean
  readonly requireSignatures: boolean
  readonly maintenanceMode: boolean
  readonly allowTokenlessWorkers: boolean
  readonly cleanupInterval: number
  readonly claimTimeout: number
  readonly allowedHosts: readonly string[]
  readonly allowedOrigins: ReadonlySet<string>
  /** Where a variable is not set, the setting counts and not this. */
  readonly sharing: SharingSettings
  /** Settings that the environment decides, with the variable that does: for these the settings file does not count. */
  readonly fixedSettings: Readonly<Partial<Record<SettingName, string>>>
}

/** Settings that a variable may decide. */
const SETTING_VARIABLES: Readonly<Partial<Record<SettingName, string>>> = {
  port: 'BUS_PORT',
  requireSignatures: 'BUS_REQUIRE_SIGNATURES',
  maintenance: 'BUS_MAINTENANCE_MODE',
  share: 'BUS_SHARE',
  sharePort: 'BUS_SHARE_PORT',
  shareInterface: 'BUS_SHARE_INTERFACE',
  sharePlain: 'BUS_SHARE_PLAIN',
  shareDiscovery: 'BUS_DISCOVERY',
  busName: 'BUS_NAME'
}

type Environment = Readonly<Record<string, string | undefined>>

const DEFAULT_DATABASE_NAME = 'infrastructure.db'
/** A lease must outlive a request; a day is more than any worker should go without a sign of life. */
const CLAIM_TIMEOUT = { min: 1, max: 86_400 }

/** Throws ConfigError, which names the variable and what it takes, at the first one that cannot be used. */
export function readConfig(env: Environment, platform: NodeJS.Platform = process.platform): Config {
  const dataDir = dataDirectoryOf(env, platform)
  const databaseName = text(env, 'BUS_DB_PATH') ?? DEFAULT_DATABASE_NAME
  return {
    dataDir,
    databasePath: behindLinks(isAbsolute(databaseName) ? databaseName : join(dataDir, databaseName)),
    host: host(env, 'BUS_HOST') ?? '127.0.0.1',
    port: wholeNumber(env, 'BUS_PORT', { min: 0, max: 65_535, default: DEFAULT_SETTINGS.port }),
    logLevel: oneOf(env, 'BUS_LOG_LEVEL', LOG_LEVELS) ?? 'info',
    secret: secret(env, 'BUS_SECRET'),
    adminSecret: secret(env, 'BUS_ADMIN_SECRET'),
    dashboardPassword: secret(env, 'DASHBOARD_PASSWORD'),
    metricsToken: secret(env, 'BUS_METRICS_TOKEN'),
    trustProxy: flag(env, 'BUS_TRUST_PROXY'),
    enforceHttps: flag(env, 'BUS_ENFORCE_HTTPS'),
    requireSignatures: flag(env, 'BUS_REQUIRE_SIGNATURES'),
    maintenanceMode: flag(env, 'BUS_MAINTENANCE_MODE'),
    allowTokenlessWorkers: flag(env, 'BUS_ALLOW_TOKENLESS_WORKERS'),
    cleanupInterval: wholeNumber(env, 'BUS_CLEANUP_INTERVAL_SECONDS', CLEANUP_INTERVAL),
    claimTimeout: wholeNumber(env, 'BUS_CLAIM_TIMEOUT_SECONDS', { ...CLAIM_TIMEOUT, default: DEFAULT_CLAIM_TIMEOUT }),
    allowedHosts: list(env, 'BUS_ALLOWED_HOSTS').map((name) => hostName('BUS_ALLOWED_HOSTS', name)),
    allowedOrigins: new Set(list(env, 'BUS_ALLOWED_ORIGINS').map(origin)),
    sharing: {
      share: flag(env, 'BUS_SHARE'),
      sharePort: wholeNumber(env, 'BUS_SHARE_PORT', { min: 0, max: 65_535, default: DEFAULT_SETTINGS.sharePort }),
      shareInterface: setting(env, 'BUS_SHARE_INTERFACE', 'shareInterface'),
      sharePlain: flag(env, 'BUS_SHARE_PLAIN'),
      shareDiscovery: flag(env, 'BUS_DISCOVERY', DEFAULT_SETTINGS.shareDiscovery),
      busName: setting(env, 'BUS_NAME', 'busName')
    },
    fixedSettings: Object.fromEntries(
      Object.entries(SETTING_VARIABLES).filter(([, variable]) => text(env, variable) !== undefined)
    )
  }
}

/** The folder that holds all the bus keeps. Unlike `readConfig` this never throws. */
export function dataDirectoryOf(env: Environment, platform: NodeJS.Platform = process.platform): string {
  return resolve(text(env, 'BUS_DATA_DIR') ?? defaultDataDir(env, platform))
}

/** Where an app of this name keeps its data on each platform; the desktop app uses the same folder. */
function defaultDataDir(env: Environment, platform: NodeJS.Platform): string {
  if (platform === 'win32') return join(env.APPDATA ?? join(homedir(), 'AppData', 'Roaming'), APP_ID)
  if (platform === 'darwin') return join(homedir(), 'Library', 'Application Support', APP_ID)
  return join(env.XDG_CONFIG_HOME || join(homedir(), '.config'), APP_ID)
}

/** Empty counts as not set, except for secrets. */
function text(env: Environment, name: string): string | undefined {
  return env[name]?.trim() || undefined
}

/** A text as the setting of this name takes it. */
function setting(env: Environment, variable: string, name: 'shareInterface' | 'busName'): string {
  const value = text(env, variable) ?? ''
  if (settingsSchema.shape[name].safeParse(value).success) return value
  throw new ConfigError(`${variable} is too long: "${value}".`)
}

/** Long enough to carry in a header, and not the example from the specification. */
function secret(env: Environment, name: string): string | undefined {
  const value = env[name]
  if (value === undefined) return undefined
  if (value === '') throw new ConfigError(`${name} is empty: give it a value, or unset it.`)
  if (value === 'dev_secret') throw new ConfigError(`${name} must not be "dev_secret": choose a secret of your own.`)
  if (SECRET_PATTERN.test(value)) return value
  throw new ConfigError(`${name} may only hold printable ASCII characters, without spaces around it.`)
}

function flag(env: Environment, name: string, fallback = false): boolean {
  const value = text(env, name)?.toLowerCase()
  if (value === undefined) return fallback
  if (['false', '0', 'no', 'off'].includes(value)) return false
  if (['true', '1', 'yes', 'on'].includes(value)) return true
  throw new ConfigError(`${name} must be true or false, not "${value}".`)
}

function wholeNumber(env: Environment, name: string, range: { min: number; max: number; default: number }): number {
  const value = text(env, name)
  if (value === undefined) return range.default
  const number = /^\d{1,9}$/.test(value) ? Number(value) : NaN
  if (number >= range.min && number <= range.max) return number
  throw new ConfigError(`${name} must be a whole number from ${range.min} to ${range.max}, not "${value}".`)
}

function oneOf<T extends string>(env: Environment, name: string, choices: readonly T[]): T | undefined {
  const value = text(env, name)?.toLowerCase()
  if (value === undefined) return undefined
  const choice = choices.find((candidate) => candidate === value)
  if (choice !== undefined) return choice
  throw new ConfigError(`${name} must be one of ${choices.join(', ')}, not "${value}".`)
}

function list(env: Environment, name: string): string[] {
  return (text(env, name) ?? '').split(',').flatMap((item) => item.trim() || [])
}

function host(env: Environment, name: string): string | undefined {
  const value = text(env, name)
  return value === undefined ? undefined : hostName(name, value)
}

/** A name or an address, without port; the brackets of an IPv6 address may be there. */
function hostName(variable: string, value: string): string {
  const name = value.replace(/^\[(.*)\]$/, '$1')
  if (/^[A-Za-z0-9._-]+$/.test(name) || /^[0-9A-Fa-f:.]+(%[A-Za-z0-9_.-]+)?$/.test(name)) return name
  throw new ConfigError(`${variable} must be host names or addresses without a port, not "${value}".`)
}

function origin(value: string): string {
  if (URL.canParse(value) && new URL(value).origin === value) return value
  throw new ConfigError(
    `BUS_ALLOWED_ORIGINS must be exact origins like https://example.com, separated by commas, not "${value}".`
  )
}

/** A database that is a link: SQLite keeps its log beside the file itself, and so must whoever replaces both. */
function behindLinks(path: string): string {
  try {
    return realpathSync(path)
  } catch {
    // It is not there yet, or its folder cannot be entered, which is told when it is opened.
    return path
  }
}
