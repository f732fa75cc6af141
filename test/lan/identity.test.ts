import { X509Certificate } from 'node:crypto'
import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { FileVault } from '../../src/main/file-vault.ts'
import type { Vault } from '../../src/main/host.ts'
import { IdentityError, IdentityStore } from '../../src/main/lan/identity-store.ts'
import { Identity } from '../../src/main/lan/identity.ts'
import { temporaryFolder } from '../support/folders.ts'
import { HandClock } from '../support/hand-clock.ts'

const DAY = 86_400
const OWNER = { busName: 'kitchen', names: ['kitchen.fritz.box', 'kitchen'] }
const NAMES = ['10.0.0.7', 'kitchen.fritz.box', 'kitchen.local', 'localhost', '127.0.0.1', '::1']

let folder: ReturnType<typeof temporaryFolder>
let clock: HandClock
let store: IdentityStore
beforeEach(() => {
  folder = temporaryFolder()
  clock = new HandClock()
  store = storeWith(new FileVault(folder.path))
})
afterEach(() => folder[Symbol.dispose]())

function storeWith(vault: Vault): IdentityStore {
  return new IdentityStore({ vault, rootPath: join(folder.path, 'intent-bus-root.pem'), leafPath: join(folder.path, 'sharing-leaf.json') })
}

async function make(): Promise<Identity> {
  const identity = await Identity.make(store, OWNER, clock)
  await identity.certify(NAMES)
  return identity
}

/** The identity as the next start finds it. */
async function found(): Promise<Identity> {
  const identity = (await Identity.find(store, clock))!
  await identity.certify(NAMES)
  return identity
}

function leafOf(identity: Identity): X509Certificate {
  return new X509Certificate(identity.certificate.cert)
}

describe('an identity', () => {
  test('is found again as it was', async () => {
    expect(await Identity.find(store, clock)).toBeUndefined()
    const made = await make()
    const again = await found()
    expect([again.pin, again.fingerprint, again.rootPem]).toEqual([made.pin, made.fingerprint, made.rootPem])
    expect(made.pin).toMatch(/^sha256\/\/[A-Za-z0-9+/]{43}=$/)
    expect(made.fingerprint).toMatch(/^([0-9A-F]{2}:){31}[0-9A-F]{2}$/)
  })

  test('keeps its keys to its owner, and its root where everybody can copy it', async () => {
    const { rootPath, rootPem } = await make()
    expect(readFileSync(rootPath, 'utf8')).toBe(rootPem)
    expect(rootPem).not.toContain('PRIVATE')
    expect(statSync(rootPath).mode & 0o777).toBe(0o644)
    expect(statSync(join(folder.path, 'sharing.keys')).mode & 0o777).toBe(0o600)
  })

  test('holds a root of ten years and a leaf of ninety days, both since yesterday', async () => {
    const identity = await make()
    const root = new X509Certificate(identity.rootPem)
    const leaf = leafOf(identity)
    const days = (from: Date, until: Date): number => (until.getTime() - from.getTime()) / DAY / 1000
    expect(days(root.validFromDate, root.validToDate)).toBeCloseTo(3_653, 0)
    expect(days(leaf.validFromDate, leaf.validToDate)).toBeCloseTo(91, 0)
    expect(clock.now() - leaf.validFromDate.getTime() / 1000).toBeCloseTo(DAY, -1)
    expect(identity.view).toMatchObject({ names: NAMES, certificateExpiresAt: clock.now() + 90 * DAY })
  })

  test('shows the leaf and the root that signed it', async () => {
    const identity = await make()
    const { cert } = identity.certificate
    expect(cert.match(/BEGIN CERTIFICATE/g)).toHaveLength(2)
    expect(cert.endsWith(identity.rootPem)).toBe(true)
    expect(leafOf(identity).verify(new X509Certificate(identity.rootPem).publicKey)).toBe(true)
  })

  test('signs a new leaf for new names and in time before the old one ends, with the same key', async () => {
    const identity = await make()
    const first = leafOf(identity)
    const spki = (leaf: X509Certificate): string => leaf.publicKey.export({ type: 'spki', format: 'der' }).toString('hex')
    expect(await identity.certify(NAMES)).toBe(false)
    clock.jump(59 * DAY)
    expect(await identity.certify(NAMES)).toBe(false)
    clock.jump(2 * DAY)
    expect(await identity.certify(NAMES)).toBe(true)
    const second = leafOf(identity)
    expect(await identity.certify(['10.0.0.9', ...NAMES])).toBe(true)
    const third = leafOf(identity)
    expect(third.subjectAltName).toContain('IP Address:10.0.0.9')
    expect([second, third].map(spki)).toEqual([spki(first), spki(first)])
    expect(new Set([first, second, third].map(({ serialNumber }) => serialNumber)).size).toBe(3)
  })

  test('goes on with the leaf of the start before, but not with one that is another root’s, damaged, or from the future', async () => {
    const path = join(folder.path, 'sharing-leaf.json')
    const { cert } = (await make()).certificate
    expect((await found()).certificate.cert).toBe(cert)
    writeFileSync(path, '{"pem":')
    expect((await found()).certificate.cert).not.toBe(cert)
    const kept = readFileSync(path, 'utf8')
    const other = await make()
    writeFileSync(path, kept)
    const again = await found()
    expect(leafOf(again).checkIssued(new X509Certificate(other.rootPem))).toBe(true)
    const { cert: last } = again.certificate
    clock.jump(-2 * DAY)
    expect((await found()).certificate.cert).not.toBe(last)
  })

  test('leaves out what its root does not permit: a public address, a name without a domain, and the name of a machine that was renamed', async () => {
    const identity = await make()
    await identity.certify(['203.0.113.5', '2001:db8::1', 'cellar.fritz.box', 'cellar', 'cellar.local', 'kitchen', 'kitchen.fritz.box'])
    expect(identity.names).toEqual(['cellar.local', 'kitchen.fritz.box'])
  })

  test('never outlives its root', async () => {
    const identity = await make()
    clock.jump(3_640 * DAY)
    await identity.certify(NAMES)
    expect(leafOf(identity).validToDate <= new X509Certificate(identity.rootPem).validToDate).toBe(true)
  })

  test('signs no leaf again and again that cannot last longer than its root, and still one behind its end', async () => {
    const identity = await make()
    clock.jump((3_652 - 20) * DAY)
    expect(await identity.certify(NAMES)).toBe(true)
    const { cert } = identity.certificate
    expect(leafOf(identity).validToDate).toEqual(new X509Certificate(identity.rootPem).validToDate)
    clock.jump(19 * DAY)
    expect(await identity.certify(NAMES)).toBe(false)
    expect((await found()).certificate.cert).toBe(cert)
    clock.jump(9 * DAY)
    expect(await identity.certify(NAMES)).toBe(false)
    expect(await identity.certify(['10.0.0.9', ...NAMES])).toBe(true)
    const { validFromDate, validToDate } = leafOf(identity)
    expect(validFromDate < validToDate).toBe(true)
  })

  test('that is made anew has nothing of the one before', async () => {
    const [first, second] = [await make(), await make()]
    expect(second.pin).not.toBe(first.pin)
    expect(second.fingerprint).not.toBe(first.fingerprint)
    expect(new X509Certificate(second.rootPem).subject).not.toBe(new X509Certificate(first.rootPem).subject)
    expect((await found()).pin).toBe(second.pin)
  })
})

describe('an identity that was interrupted while it was made', () => {
  test('is whole when its keys were kept, and its root is copied again', async () => {
    const { pin, rootPath, rootPem } = await make()
    rmSync(rootPath)
    expect((await found()).pin).toBe(pin)
    expect(readFileSync(rootPath, 'utf8')).toBe(rootPem)
  })

  test('is the new one when the copy is still that of the old one', async () => {
    const old = await make()
    const next = await make()
    writeFileSync(next.rootPath, old.rootPem)
    expect((await found()).fingerprint).toBe(next.fingerprint)
    expect(readFileSync(next.rootPath, 'utf8')).toBe(next.rootPem)
  })
})

describe('an identity that cannot be read', () => {
  test('is not replaced: a locked keychain costs nobody their trust', async () => {
    await make()
    const locked: Vault = { place: 'keychain', where: () => 'the keychain of the tests', read: async () => undefined, write: async () => {}, remove: async () => {} }
    const error = await Identity.find(storeWith(locked), clock).catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(IdentityError)
    expect((error as Error).message).toContain('the keychain of the tests')
    expect((await found()).pin).toBeDefined()
  })

  test.each(['', 'nonsense', '{"rootKey":"x"}'])('says so when its keys are damaged (%j)', async (content) => {
    await make()
    writeFileSync(join(folder.path, 'sharing.keys'), content)
    await expect(Identity.find(store, clock)).rejects.toThrow(IdentityError)
  })
})
