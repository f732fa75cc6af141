import { existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { BusProcess } from '../support/bus-process.ts'
import { temporaryFolder } from '../support/folders.ts'
import { ask } from '../support/http-client.ts'
import { DesktopApp } from './driver.ts'

/** The main key in the system's keychain, and what becomes of it where there is none. */

const SLOTS = ['main.key', 'dashboard.password'] as const

async function isMainKey(url: string, key: string): Promise<boolean> {
  return (await ask(url, { method: 'POST', path: '/claim', headers: { 'X-API-KEY': key } })).status === 204
}

test('secrets lie sealed by the keychain, in no clear text, and are the same after a restart', async () => {
  using folder = temporaryFolder()
  let key: string
  {
    await using app = await DesktopApp.start({ dataDir: folder.path })
    const url = await app.url()
    key = await app.mainKey()
    expect(await isMainKey(url, key)).toBe(true)
    const { mainKey, notices } = await app.call('status.get', {})
    expect(mainKey?.in).toBe('keychain')
    expect(notices.join()).not.toContain('keychain')
    for (const slot of SLOTS) {
      expect(existsSync(join(folder.path, slot))).toBe(false)
      const sealed = join(folder.path, `${slot}.sealed`)
      expect(statSync(sealed).mode & 0o777).toBe(0o600)
      expect(readFileSync(sealed, 'utf8')).not.toContain(key)
    }
  }
  await using app = await DesktopApp.start({ dataDir: folder.path })
  await app.url()
  expect(await app.mainKey()).toBe(key)
})

test.each(['basic_text', 'none'] as const)('without a keychain (%s) they lie in files of the user, and the interface says so', async (keychain) => {
  await using app = await DesktopApp.start({ keychain })
  const url = await app.url()
  const file = join(app.dataDir, 'main.key')
  expect(statSync(file).mode & 0o777).toBe(0o600)
  expect(readFileSync(file, 'utf8').trim()).toBe(await app.mainKey())
  expect(existsSync(`${file}.sealed`)).toBe(false)
  expect(await isMainKey(url, await app.mainKey())).toBe(true)
  const { mainKey, notices } = await app.call('status.get', {})
  expect(mainKey).toEqual({ in: 'file', where: file })
  const notice = notices.find((sentence) => sentence.includes('has no keychain'))!
  await (await app.window()).getByText(notice).waitFor()
})

test('a keychain that does not open what it sealed costs neither the bus nor the intents; a new main key is made on request', async () => {
  using folder = temporaryFolder()
  let key: string
  let id: string
  {
    await using app = await DesktopApp.start({ dataDir: folder.path })
    await app.url()
    key = await app.mainKey()
    id = (await app.call('intents.publish', { goal: 'kept', payload: '{}' })).id
  }
  await using app = await DesktopApp.start({ dataDir: folder.path, keychain: 'locked' })
  const url = await app.url()
  expect(await app.call('intents.detail', { id })).toMatchObject({ goal: 'kept', status: 'open' })
  expect((await app.call('status.get', {})).mainKey?.in).toBe('elsewhere')
  expect(await app.callRaw('keys.revealMain', {})).toMatchObject({ ok: false })
  // Workers that know it go on.
  expect(await ask(url, { method: 'POST', path: '/claim?goal=none', headers: { 'X-API-KEY': key } })).toMatchObject({ status: 204 })
})

test('the main key of a headless bus on the same folder is taken over', async () => {
  using folder = temporaryFolder()
  let key: string
  {
    await using bus = await BusProcess.start(folder.path)
    key = bus.mainKey
    await bus.kill('SIGTERM')
  }
  await using app = await DesktopApp.start({ dataDir: folder.path })
  const url = await app.url()
  expect(await app.mainKey()).toBe(key)
  expect(await isMainKey(url, key)).toBe(true)
  expect(existsSync(join(folder.path, 'main.key'))).toBe(false)
  expect(existsSync(join(folder.path, 'main.key.sealed'))).toBe(true)
})

test('a new main key replaces the old one, in the keychain and for workers', async () => {
  await using app = await DesktopApp.start()
  const url = await app.url()
  const old = await app.mainKey()
  const { secret } = await app.call('keys.rotateMain', {})
  expect(secret).not.toBe(old)
  expect(await app.mainKey()).toBe(secret)
  expect(await isMainKey(url, secret)).toBe(true)
  expect(await isMainKey(url, old)).toBe(false)
})
