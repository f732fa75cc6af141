import type { SettingName, Settings } from '../shared/control/settings.ts'

/** Where secrets are kept in clear: the system's keychain, or files of mode 0600. */
export interface Vault {
  readonly place: 'file' | 'keychain'
  /** What a user is told of where a secret lies: its file, or the name of the keychain. */
  where(name: string): string
  /** undefined when there is none of that name. */
  read(name: string): Promise<string | undefined>
  /** On disk when it resolves; a crash leaves the old secret or the new one. */
  write(name: string, secret: string): Promise<void>
  remove(name: string): Promise<void>
}

/** What the process around the bus does for it: only a desktop has a keychain, a login and a file manager. */
export interface Host {
  readonly shell: 'desktop' | 'headless'
  readonly vault: Vault
  /** null where the log goes to standard error. */
  readonly logFile: string | null
  /** Settings that mean nothing here, with the reason as a sentence. */
  readonly unavailableSettings: Readonly<Partial<Record<SettingName, string>>>
  /** Sentences that a careful user wants to read: that there is no keychain, say. */
  readonly notices: readonly string[]
  /** Opens a file manager or viewer. Rejects with a sentence where there is none. */
  show(what: 'log' | 'data'): Promise<void>
  /** Hears of every change of the settings, and of their state at the start. Rejects when one cannot be applied. */
  applySettings(settings: Settings): Promise<void>
}
