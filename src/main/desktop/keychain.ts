import { safeStorage } from 'electron'
import type { HostServices } from './bus-messages.ts'

/** The system's keychain, by which secrets are sealed. */
export interface Keychain extends Pick<HostServices, 'seal' | 'unseal'> {
  /** What users call it. */
  readonly name: string
}

const LINUX_KEYCHAINS: Readonly<Record<string, string>> = {
  gnome_libsecret: 'the keyring of this desktop (libsecret)',
  kwallet: 'KWallet',
  kwallet5: 'KWallet',
  kwallet6: 'KWallet'
}

/**
 * Finds the keychain; undefined where there is none that protects anything: on Linux, Chromium falls back to a key that
 * everybody knows. The app must be ready.
 */
export async function findKeychain(platform: NodeJS.Platform): Promise<Keychain | undefined> {
  const name = nameOf(platform)
  if (name === undefined || !(await safeStorage.isAsyncEncryptionAvailable())) return undefined
  return { name, seal, unseal }
}

function nameOf(platform: NodeJS.Platform): string | undefined {
  if (platform === 'darwin') return 'the Keychain of macOS'
  if (platform === 'win32') return 'the data protection of Windows'
  return LINUX_KEYCHAINS[safeStorage.getSelectedStorageBackend()]
}

async function seal(text: string): Promise<string> {
  return (await safeStorage.encryptStringAsync(text)).toString('base64')
}

async function unseal(sealed: string): ReturnType<Keychain['unseal']> {
  const { result, shouldReEncrypt } = await safeStorage.decryptStringAsync(Buffer.from(sealed, 'base64'))
  return { text: result, isStale: shouldReEncrypt }
}
