import { existsSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { digestOf } from '../../src/main/bus/keys.ts'
import { Meta } from '../../src/main/bus/meta.ts'
import { openDatabase } from '../../src/main/bus/store/database.ts'
import { findSecret, rotateSecret, type SecretOptions } from '../../src/main/secrets.ts'
import { temporaryFolder } from '../support/folders.ts'

function setUp() {
  const folder = temporaryFolder()
  const db = openDatabase(join(folder.path, 'bus.db'))
  const options: SecretOptions = {
    meta: new Meta(db),
    name: 'main_key_digest',
    given: undefined,
    variable: 'BUS_SECRET',
    path: join(folder.path, 'main.key'),
    prefix: 'bus_'
  }
  return {
    db,
    options,
    read: () => readFileSync(options.path, 'utf8').trim(),
    [Symbol.dispose]() {
      db.close()
      folder[Symbol.dispose]()
    }
  }
}

test('the first start makes a secret; its file has mode 0600, the database only a digest', () => {
  using t = setUp()
  const { digest, place } = findSecret(t.options)
  expect(place).toEqual({ in: 'file', path: t.options.path })
  expect(t.read()).toMatch(/^bus_[\w-]{32}$/)
  expect(statSync(t.options.path).mode & 0o777).toBe(0o600)
  expect(digest).toBe(digestOf(t.read()))
  const everything = JSON.stringify(t.db.prepare('SELECT * FROM meta').all())
  expect(everything).not.toContain(t.read())
  expect(findSecret(t.options)).toMatchObject({ digest })
})

test('a first start that was interrupted after writing the file goes on with that file', () => {
  using t = setUp()
  writeFileSync(t.options.path, 'half-way\n')
  expect(findSecret(t.options)).toMatchObject({ digest: digestOf('half-way') })
})

test('a file that does not hold the secret is told from one that does', () => {
  using t = setUp()
  const { digest } = findSecret(t.options)
  writeFileSync(t.options.path, 'something else\n')
  expect(findSecret(t.options)).toMatchObject({ digest, place: { in: 'elsewhere' } })
})

test('a rotation that was interrupted before the database leaves the old secret in force', () => {
  using t = setUp()
  findSecret(t.options)
  const old = t.read()
  writeFileSync(`${t.options.path}.next`, 'never stored\n')
  expect(findSecret(t.options)).toMatchObject({ digest: digestOf(old), place: { in: 'file' } })
  expect(existsSync(`${t.options.path}.next`)).toBe(false)
})

test('a rotation that was interrupted after the database is finished by the next start', () => {
  using t = setUp()
  findSecret(t.options)
  rotateSecret(t.options)
  const rotated = t.read()
  renameSync(t.options.path, `${t.options.path}.next`)
  writeFileSync(t.options.path, 'the old one\n')
  expect(findSecret(t.options)).toMatchObject({ digest: digestOf(rotated), place: { in: 'file' } })
  expect(t.read()).toBe(rotated)
})

test('the environment counts first and touches nothing', () => {
  using t = setUp()
  const secret = findSecret({ ...t.options, given: 'from outside' })
  expect(secret).toEqual({
    digest: digestOf('from outside'),
    place: { in: 'environment', variable: 'BUS_SECRET' }
  })
  expect(existsSync(t.options.path)).toBe(false)
})
