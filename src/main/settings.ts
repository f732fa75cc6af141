import { readFileSync } from 'node:fs'
import { DEFAULT_SETTINGS, settingsSchema, type SettingName, type Settings } from '../shared/control/settings.ts'
import { ProtocolError } from '../shared/errors.ts'
import { ConfigError, type Config } from './config.ts'
import { writeFileAtomically } from './files.ts'

/** In the data folder. */
export const SETTINGS_FILE = 'settings.json'

type Stored = Partial<Settings>

/** The settings: what the environment fixes, else what the user set, else the default. Kept in a JSON file. */
export class SettingsFile {
  readonly fixed: Config['fixedSettings']
  readonly #path: string
  readonly #given: Partial<Settings>
  #stored: Stored

  /** Throws ConfigError when the file cannot be used; it is left as it is. */
  constructor(path: string, config: Config) {
    this.#path = path
    this.fixed = config.fixedSettings
    this.#given = pick(
      { port: config.port, requireSignatures: config.requireSignatures, maintenance: config.maintenanceMode, ...config.sharing },
      (name) => name in this.fixed
    )
    this.#stored = read(path)
  }

  get values(): Settings {
    return { ...DEFAULT_SETTINGS, ...this.#stored, ...this.#given }
  }

  /** What the settings would be. Throws 400 for one that the environment fixes. */
  changed(change: Stored): Settings {
    for (const name of Object.keys(change) as SettingName[]) {
      const variable = this.fixed[name]
      if (variable === undefined || change[name] === this.values[name]) continue
      throw new ProtocolError('invalid_request', `${variable} decides this setting; change it there, or unset it.`)
    }
    return { ...this.values, ...change }
  }

  /** Writes a change to disk. */
  save(change: Stored): void {
    const stored = { ...this.#stored, ...pick(change, (name) => !(name in this.fixed)) }
    writeFileAtomically(this.#path, `${JSON.stringify(stored, null, 2)}\n`)
    this.#stored = stored
  }
}

function pick(settings: Stored, isWanted: (name: SettingName) => boolean): Stored {
  return Object.fromEntries(Object.entries(settings).filter(([name]) => isWanted(name as SettingName)))
}

function read(path: string): Stored {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {}
    throw new ConfigError(`The settings file ${path} cannot be read (${(error as Error).message}).`)
  }
  try {
    return settingsSchema.partial().parse(JSON.parse(text)) as Stored
  } catch (error) {
    const reason = error instanceof SyntaxError ? error.message : firstIssue(error)
    throw new ConfigError(`The settings file ${path} cannot be used (${reason}); mend it, or remove it to start from the defaults.`)
  }
}

function firstIssue(error: unknown): string {
  const [issue] = (error as { issues?: { path: PropertyKey[]; message: string }[] }).issues ?? []
  return issue === undefined ? String(error) : `${issue.path.join('.')}: ${issue.message}`
}
