import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto'
import type { SafeStorage } from 'electron'
import { isAppReady, requireReady } from './readiness.ts'
import { StrictObject } from './strict.ts'

type Implemented =
  | 'isEncryptionAvailable' | 'encryptString' | 'decryptString' | 'isAsyncEncryptionAvailable' | 'encryptStringAsync' | 'decryptStringAsync'
  | 'getSelectedStorageBackend'

/** Before each text that was sealed, as Chromium marks its own. */
const MARK = Buffer.from('v11')
const NONCE_LENGTH = 12
const TAG_LENGTH = 16

/** The keyring's key: of the user, not of the app, so that it is the same after a restart. */
const KEY = createHash('sha256').update(`keyring of the user ${process.getuid?.() ?? ''}`).digest()

/** A Linux desktop with a keyring that works. */
class StandInSafeStorage extends StrictObject implements Pick<SafeStorage, Implemented> {
  isEncryptionAvailable(): boolean {
    return isAppReady()
  }

  async isAsyncEncryptionAvailable(): Promise<boolean> {
    requireReady('safeStorage cannot be used before app is ready')
    return true
  }

  getSelectedStorageBackend(): ReturnType<SafeStorage['getSelectedStorageBackend']> {
    return isAppReady() ? 'gnome_libsecret' : 'unknown'
  }

  encryptString(text: string): Buffer {
    requireReady('safeStorage cannot be used before app is ready')
    if (typeof text !== 'string') throw new TypeError('Error while encrypting the text provided to safeStorage.encryptString.')
    const nonce = randomBytes(NONCE_LENGTH)
    const cipher = createCipheriv('aes-256-gcm', KEY, nonce)
    const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()])
    return Buffer.concat([MARK, nonce, cipher.getAuthTag(), sealed])
  }

  decryptString(sealed: Buffer): string {
    requireReady('safeStorage cannot be used before app is ready')
    if (!Buffer.isBuffer(sealed)) throw new TypeError('Expected the first argument of decryptString() to be a buffer')
    if (!sealed.subarray(0, MARK.length).equals(MARK)) throw new Error('Error while decrypting the ciphertext provided to safeStorage.decryptString. Ciphertext does not appear to be encrypted.')
    const rest = sealed.subarray(MARK.length)
    const opener = createDecipheriv('aes-256-gcm', KEY, rest.subarray(0, NONCE_LENGTH))
    opener.setAuthTag(rest.subarray(NONCE_LENGTH, NONCE_LENGTH + TAG_LENGTH))
    return Buffer.concat([opener.update(rest.subarray(NONCE_LENGTH + TAG_LENGTH)), opener.final()]).toString('utf8')
  }

  async encryptStringAsync(text: string): Promise<Buffer> {
    return this.encryptString(text)
  }

  async decryptStringAsync(sealed: Buffer): Promise<{ result: string; shouldReEncrypt: boolean }> {
    return { result: this.decryptString(sealed), shouldReEncrypt: false }
  }
}

export const safeStorage = new StandInSafeStorage()
