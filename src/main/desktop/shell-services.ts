import { shell } from 'electron'
import { DEFAULT_SETTINGS, type Settings } from '../../shared/control/settings.ts'
import type { HostServices } from './bus-messages.ts'
import { findKeychain, type Keychain } from './keychain.ts'
import { setStartAtLogin } from './login-item.ts'
import type { PanelShortcut } from './shortcut.ts'

export interface ShellServicesOptions {
  readonly shortcut: PanelShortcut
  readonly logFile: string
  readonly dataDir: string
}

/** What the shell does for the bus, and the settings that it follows. */
export class ShellServices implements HostServices {
  readonly #options: ShellServicesOptions
  #keychain: Keychain | undefined
  #settings: Settings = DEFAULT_SETTINGS

  constructor(options: ShellServicesOptions) {
    this.#options = options
  }

  get settings(): Settings {
    return this.#settings
  }

  /** Finds the keychain that seals from now on; null where there is none. It may ask the user to unlock it. */
  async findKeychain(): Promise<Keychain | null> {
    this.#keychain = await findKeychain(process.platform)
    return this.#keychain ?? null
  }

  async seal(text: string): Promise<string> {
    return this.#demandKeychain().seal(text)
  }

  async unseal(sealed: string): ReturnType<HostServices['unseal']> {
    return this.#demandKeychain().unseal(sealed)
  }

  async show(what: 'log' | 'data'): Promise<void> {
    const { logFile, dataDir } = this.#options
    const path = what === 'log' ? logFile : dataDir
    const problem = await shell.openPath(path)
    if (problem !== '') throw new Error(`${path} cannot be opened here: ${problem}`)
  }

  /** Follows the settings as far as it can, and rejects with what it could not do. */
  async applySettings(settings: Settings): Promise<void> {
    this.#settings = settings
    const attempts = [
      () => setStartAtLogin(settings.startAtLogin),
      () => this.#options.shortcut.set(settings.panelShortcut)
    ]
    const problems = attempts.flatMap((attempt) => problemOf(attempt) ?? [])
    if (problems.length > 0) throw new Error(problems.join(' '))
  }

  #demandKeychain(): Keychain {
    if (this.#keychain === undefined) throw new Error('There is no keychain on this system.')
    return this.#keychain
  }
}

function problemOf(attempt: () => void): string | undefined {
  try {
    attempt()
    return undefined
  } catch (error) {
    return (error as Error).message
  }
}
