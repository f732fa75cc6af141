import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { beforeAll, expect, test } from 'vitest'
import { isLogDamaged } from '../../src/main/bus/store/log-check.ts'
import { temporaryFolder } from '../support/folders.ts'

const PAGE = 4_096
const FRAME = PAGE + 24
const HEADER = 32

const folder = temporaryFolder()
const path = join(folder.path, 'database')
/** A log of many transactions, as a kill leaves it; the last one has many frames. */
let log: Buffer
let lastFrom: number

beforeAll(() => {
  const db = new Database(path)
  db.pragma('journal_mode = WAL')
  db.pragma('wal_autocheckpoint = 0')
  db.exec('CREATE TABLE t (a, b)')
  const insert = db.prepare('INSERT INTO t VALUES (?, ?)')
  for (let i = 0; i < 60; i++) insert.run(i, 'x'.repeat(3_000))
  lastFrom = readFileSync(`${path}-wal`).length
  db.transaction(() => {
    for (let i = 0; i < 20; i++) insert.run(i, 'y'.repeat(3_000))
  })()
  cpSync(`${path}-wal`, join(folder.path, 'log'))
  log = readFileSync(join(folder.path, 'log'))
  db.close()
  return () => folder[Symbol.dispose]()
})

function judge(change: (bytes: Buffer) => Buffer | void): boolean {
  const bytes = Buffer.from(log)
  const file = join(folder.path, 'changed')
  writeFileSync(file, change(bytes) ?? bytes)
  return isLogDamaged(file)
}

test('a log as a kill leaves it is fine, and so is none', () => {
  expect(judge(() => {})).toBe(false)
  expect(isLogDamaged(join(folder.path, 'nothing'))).toBe(false)
  expect(judge(() => Buffer.alloc(0))).toBe(false)
  expect(judge((bytes) => void bytes.fill(0))).toBe(false)
})

test('a flipped bit anywhere in front of the last transaction is damage', () => {
  // In front of the last two transactions: what the last but one lost shows by the last one's frames.
  for (let at = 0; at < lastFrom - FRAME; at += 997) expect(judge((bytes) => void (bytes[at]! ^= 1 << at % 8)), `byte ${at}`).toBe(true)
})

test('a log that ends anywhere is what a crash leaves', () => {
  for (let end = 0; end < log.length; end += 1_009) expect(judge((bytes) => bytes.subarray(0, end)), `end ${end}`).toBe(false)
  for (let end = HEADER; end < log.length; end += 5_003) expect(judge((bytes) => void bytes.fill(0, end)), `zeros from ${end}`).toBe(false)
})

test('a last transaction that was written in another order is what a crash leaves', () => {
  for (let at = lastFrom; at < log.length; at += 701) {
    expect(judge((bytes) => void bytes.fill(0, at, Math.min(at + 512, bytes.length))), `hole at ${at}`).toBe(false)
  }
})

test('what is left of an earlier use of the log is no damage', () => {
  const db = new Database(path)
  db.pragma('wal_autocheckpoint = 0')
  const insert = db.prepare('INSERT INTO t VALUES (?, ?)')
  for (let i = 0; i < 60; i++) insert.run(i, 'x'.repeat(3_000))
  db.pragma('wal_checkpoint(RESTART)')
  for (let i = 0; i < 10; i++) insert.run(i, 'z'.repeat(3_000))
  const file = join(folder.path, 'reused')
  cpSync(`${path}-wal`, file)
  db.close()
  expect(isLogDamaged(file)).toBe(false)
  const bytes = readFileSync(file)
  bytes[HEADER + 4 * FRAME + 500]! ^= 1
  writeFileSync(file, bytes)
  expect(isLogDamaged(file)).toBe(true)
})
