import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { KeychainVault } from '../../../src/main/desktop/keychain-vault.ts'
import { temporaryFolder } from '../../support/folders.ts'

/** A keychain that can be locked, and whose key can be changed. */
class TestKeychain {
  isLocked = false
  isCorrupt = false
  key = 1
  sealed = 0

  seal = async (text: string): Promise<string> => {
    if (this.isLocked) throw new Error('locked')
    this.sealed++
    return Buffer.from(`${this.key}:${this.isCorrupt ? 'garbage' : text}`).toString('base64')
  }

  unseal = async (sealed: string): Promise<{ text: string; isStale: boolean }> => {
    if (this.isLocked) throw new Error('locked')
    const [key, text] = Buffer.from(sealed, 'base64').toString().split(':')
    return { text: text!, isStale: Number(key) !== this.key }
  }
}

function setUp() {
  const folder = temporaryFolder()
  const keychain = new TestKeychain()
  const troubles: string[] = []
  const vault = new KeychainVault({
    directory: folder.path,
    keychain: 'KWallet',
    sealer: keychain,
    onTrouble: (name) => troubles.push(name)
  })
  const file = (name: string) => join(folder.path, name)
  return { folder, keychain, vault, troubles, file, [Symbol.dispose]: () => folder[Symbol.dispose]() }
}

test('a secret is kept sealed, in a file for the user only', async () => {
  using t = setUp()
  await t.vault.write('main.key', 'bus_secret')
  expect(await t.vault.read('main.key')).toBe('bus_secret')
  expect(readdirSync(t.folder.path)).toEqual(['main.key.sealed'])
  expect(readFileSync(t.file('main.key.sealed'), 'utf8')).not.toContain('bus_secret')
  if (process.platform !== 'win32') expect(statSync(t.file('main.key.sealed')).mode & 0o777).toBe(0o600)
  expect(t.vault.where()).toBe('KWallet')
})

test('a secret that is not there is undefined, also after it was removed', async () => {
  using t = setUp()
  expect(await t.vault.read('main.key')).toBeUndefined()
  await t.vault.write('main.key', 'a')
  await t.vault.remove('main.key')
  expect(await t.vault.read('main.key')).toBeUndefined()
})

test('the plain file of a headless bus is taken over, and then gone', async () => {
  using t = setUp()
  writeFileSync(t.file('main.key'), 'bus_plain\n')
  expect(await t.vault.read('main.key')).toBe('bus_plain')
  expect(existsSync(t.file('main.key'))).toBe(false)
  expect(await t.vault.read('main.key')).toBe('bus_plain')
})

test('a plain file is newer than what is sealed: a headless bus rotated the key', async () => {
  using t = setUp()
  await t.vault.write('main.key', 'bus_old')
  writeFileSync(t.file('main.key'), 'bus_new\n')
  expect(await t.vault.read('main.key')).toBe('bus_new')
  expect(existsSync(t.file('main.key'))).toBe(false)
  expect(await t.vault.read('main.key')).toBe('bus_new')
})

test.each(['isLocked', 'isCorrupt'] as const)('with a keychain that %s the plain file stays', async (fault) => {
  using t = setUp()
  writeFileSync(t.file('main.key'), 'bus_plain\n')
  t.keychain[fault] = true
  expect(await t.vault.read('main.key')).toBe('bus_plain')
  expect(readFileSync(t.file('main.key'), 'utf8')).toBe('bus_plain\n')
})

test('what the keychain does not open is not there for now, and told', async () => {
  using t = setUp()
  await t.vault.write('main.key', 'bus_secret')
  t.keychain.isLocked = true
  expect(await t.vault.read('main.key')).toBeUndefined()
  expect(t.troubles).toEqual(['main.key'])
  t.keychain.isLocked = false
  expect(await t.vault.read('main.key')).toBe('bus_secret')
})

test('writing fails where the keychain does, and the old secret stays', async () => {
  using t = setUp()
  await t.vault.write('main.key', 'old')
  t.keychain.isLocked = true
  await expect(t.vault.write('main.key', 'new')).rejects.toThrow('locked')
  t.keychain.isLocked = false
  expect(await t.vault.read('main.key')).toBe('old')
})

test('a secret that was sealed with an old key of the keychain is sealed again', async () => {
  using t = setUp()
  await t.vault.write('main.key', 'a')
  t.keychain.key = 2
  await t.vault.read('main.key')
  await t.vault.read('main.key')
  expect(t.keychain.sealed).toBe(2)
})
