import { existsSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { digestOf } from '../../src/main/bus/keys.ts'
import { Meta } from '../../src/main/bus/meta.ts'
import { openDatabase } from '../../src/main/bus/store/database.ts'
import { FileVault } from '../../src/main/file-vault.ts'
import { Secret, type SecretOptions } from '../../src/main/secrets.ts'
import { temporaryFolder } from '../support/folders.ts'

function setUp() {
  const folder = temporaryFolder()
  const db = openDatabase(join(folder.path, 'bus.db'))
  const options: SecretOptions = {
    meta: new Meta(db),
    name: 'main_key_digest',
    given: undefined,
    variable: 'BUS_SECRET',
    vault: new FileVault(folder.path),
    slot: 'main.key',
    prefix: 'bus_'
  }
  const path = join(folder.path, 'main.key')
  return {
    db,
    options,
    path,
    read: () => readFileSync(path, 'utf8').trim(),
    [Symbol.dispose]() {
      db.close()
      folder[Symbol.dispose]()
    }
  }
}

test('the first start makes a secret; its file has mode 0600, the database only a digest', async () => {
  using t = setUp()
  const { digest, place } = await Secret.find(t.options)
  expect(place).toEqual({ in: 'file', path: t.path })
  expect(t.read()).toMatch(/^bus_[\w-]{32}$/)
  expect(statSync(t.path).mode & 0o777).toBe(0o600)
  expect(digest).toBe(digestOf(t.read()))
  const everything = JSON.stringify(t.db.prepare('SELECT * FROM meta').all())
  expect(everything).not.toContain(t.read())
  expect(await Secret.find(t.options)).toMatchObject({ digest })
})

test('a first start that was interrupted after writing the file goes on with that file', async () => {
  using t = setUp()
  writeFileSync(t.path, 'half-way\n')
  expect(await Secret.find(t.options)).toMatchObject({ digest: digestOf('half-way') })
})

test('a file that does not hold the secret is told from one that does', async () => {
  using t = setUp()
  const { digest } = await Secret.find(t.options)
  writeFileSync(t.path, 'something else\n')
  expect(await Secret.find(t.options)).toMatchObject({ digest, place: { in: 'elsewhere' } })
})

test('a rotation that was interrupted before the database leaves the old secret in force', async () => {
  using t = setUp()
  await Secret.find(t.options)
  const old = t.read()
  writeFileSync(`${t.path}.next`, 'never stored\n')
  expect(await Secret.find(t.options)).toMatchObject({ digest: digestOf(old), place: { in: 'file' } })
  expect(existsSync(`${t.path}.next`)).toBe(false)
})

test('a rotation that was interrupted after the database is finished by the next start', async () => {
  using t = setUp()
  await (await Secret.find(t.options)).rotate()
  const rotated = t.read()
  renameSync(t.path, `${t.path}.next`)
  writeFileSync(t.path, 'the old one\n')
  expect(await Secret.find(t.options)).toMatchObject({ digest: digestOf(rotated), place: { in: 'file' } })
  expect(t.read()).toBe(rotated)
})

test('of two replacements at once the later call counts, and what is kept is what is in force', async () => {
  using t = setUp()
  // A keychain takes its time: steps of the two would mix.
  const vault = new (class extends FileVault {
    override async write(name: string, secret: string): Promise<void> {
      await new Promise((resolve) => setTimeout(resolve, secret === 'first' ? 20 : 1))
      return super.write(name, secret)
    }
  })(dirname(t.path))
  const secret = await Secret.find({ ...t.options, vault })
  await Promise.all([secret.replace('first'), secret.replace('second')])
  expect([secret.digest, await secret.reveal()]).toEqual([digestOf('second'), 'second'])
  expect(await Secret.find({ ...t.options, vault })).toMatchObject({ digest: digestOf('second'), place: { in: 'file' } })
})

test('the environment counts first and touches nothing', async () => {
  using t = setUp()
  const secret = await Secret.find({ ...t.options, given: 'from outside' })
  expect(secret).toMatchObject({
    digest: digestOf('from outside'),
    place: { in: 'environment', variable: 'BUS_SECRET' }
  })
  expect(await secret.reveal()).toBe('from outside')
  expect(existsSync(t.path)).toBe(false)
})

test('a secret that was replaced counts at once, is revealed, and is found again', async () => {
  using t = setUp()
  const secret = await Secret.find(t.options)
  await secret.replace('chosen by the user')
  expect(secret.digest).toBe(digestOf('chosen by the user'))
  expect(await secret.reveal()).toBe('chosen by the user')
  expect(await Secret.find(t.options)).toMatchObject({ digest: secret.digest, place: { in: 'file' } })
  expect(existsSync(`${t.path}.next`)).toBe(false)
})

test('a secret that lies elsewhere cannot be revealed', async () => {
  using t = setUp()
  await Secret.find(t.options)
  writeFileSync(t.path, 'something else\n')
  expect(await (await Secret.find(t.options)).reveal()).toBeUndefined()
})
