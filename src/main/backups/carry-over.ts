import { totalOf } from '../bus/gaps.ts'
import { digestOf } from '../bus/keys.ts'
import type { MetaName } from '../bus/meta.ts'
import { openAside, SCHEMA_VERSION, versionOf, type Connection } from '../bus/store/database.ts'
import type { Vault } from '../host.ts'
import { SECRET_SLOTS } from '../secrets.ts'
import type { RecoveryReport } from './recovery-file.ts'

export interface CarryOverOptions {
  /** The database that was restored, of this version. */
  readonly next: string
  /** A copy of the one whose place it takes; undefined where that could not be read. */
  readonly present: string | undefined
  readonly vault: Vault
  /** The moment that the restored one shows, and now. Unix seconds. */
  readonly from: number
  readonly now: number
}

/** Who is let in, and what was seen already: it must not go back in time, and is lost where it cannot be read. */
const LET_IN = ['sessions', 'nonces'] as const
/** The trail of it, which is never lost. */
const TRAIL = 'audit'
/** What the bus remembers of itself that is of now: an operator who paused it did so for a reason. */
const META_OF_NOW: readonly MetaName[] = [...(Object.keys(SECRET_SLOTS) as MetaName[]), 'paused', 'signed_after']
/** What decides of a key whom it lets in, and to what. */
const POWERS_OF_KEY = ['digest', 'revoked_at', 'scope', 'expires_at', 'rate_limit'] as const

/**
 * Brings a restored database up to what has happened since and must not be undone: the main key and the password are those that the
 * vault has, logins and spent nonces stay as they are, keys get back nothing that was taken from them, a paused bus stays paused, and
 * open intents do not pay for the time in between with their lifetimes. The answer tells what is different from before; null where
 * that could not be read.
 */
export async function carryOver({ next, present, vault, from, now }: CarryOverOptions): Promise<RecoveryReport['losses']> {
  const kept = await digestsInVault(vault)
  const db = openAside(next, 'write')
  try {
    if (present !== undefined) db.prepare('ATTACH ? AS present').run(present)
    const losses = present === undefined ? null : compare(db)
    db.transaction(() => {
      if (present === undefined) beginAnew(db, kept, now)
      else takeFromPresent(db, isOfThisVersion(present), now)
      standStill(db, from, now)
    })()
    return losses
  } finally {
    db.close()
  }
}

/** Says in a database, which nobody has open, that nonces were lost at `now` (Unix seconds): what was signed before is refused (SPEC 5.2). */
export function forgetNonces(path: string, now: number): void {
  const db = openAside(path, 'write')
  try {
    refuseSignedBefore(db, now)
  } finally {
    db.close()
  }
}

function refuseSignedBefore(db: Connection, now: number): void {
  setMeta(db, 'signed_after', String(now))
}

function isOfThisVersion(path: string): boolean {
  const db = openAside(path)
  try {
    return versionOf(db) === SCHEMA_VERSION
  } finally {
    db.close()
  }
}

function beginAnew(db: Connection, digests: ReadonlyMap<MetaName, string>, now: number): void {
  // A secret that the vault does not have stays as it was then: somebody may know it.
  for (const [name, digest] of digests) setMeta(db, name, digest)
  for (const table of LET_IN) db.exec(`DELETE FROM main.${table}`)
  refuseSignedBefore(db, now)
}

function takeFromPresent(db: Connection, isSameSchema: boolean, now: number): void {
  const names = META_OF_NOW.map(quote).join(', ')
  db.exec(`DELETE FROM main.meta WHERE name IN (${names}); INSERT INTO main.meta SELECT name, value FROM present.meta WHERE name IN (${names})`)
  keepPowers(db)
  for (const table of LET_IN) db.exec(`DELETE FROM main.${table}`)
  if (!isSameSchema) {
    // The rows of another version cannot be taken over.
    refuseSignedBefore(db, now)
    return
  }
  db.exec(`DELETE FROM main.${TRAIL}`)
  for (const table of [...LET_IN, TRAIL]) db.exec(`INSERT INTO main.${table} SELECT * FROM present.${table}`)
}

/** Keys of both are let in as they are now. An older version has no limits, but revocations. */
function keepPowers(db: Connection): void {
  const columns = powersIn(db)
  const values = columns.map((column) => `p.${column}`).join(', ')
  db.exec(`UPDATE main.keys AS k SET (${columns.join(', ')}) = (SELECT ${values} FROM present.keys p WHERE p.id = k.id) WHERE k.id IN (SELECT id FROM present.keys)`)
}

/** Those of them that the present knows. */
function powersIn(db: Connection): readonly string[] {
  const there = new Set(db.prepare(`SELECT name FROM pragma_table_info('keys', 'present')`).pluck().all())
  return POWERS_OF_KEY.filter((column) => there.has(column))
}

/** Digests of the secrets that the vault has, by their names in the database. */
async function digestsInVault(vault: Vault): Promise<ReadonlyMap<MetaName, string>> {
  const digests = new Map<MetaName, string>()
  for (const [name, slot] of Object.entries(SECRET_SLOTS)) {
    const secret = await vault.read(slot)
    if (secret !== undefined) digests.set(name as MetaName, digestOf(secret))
  }
  return digests
}

function setMeta(db: Connection, name: MetaName, value: string): void {
  db.prepare('INSERT OR REPLACE INTO main.meta (name, value) VALUES (?, ?)').run(name, value)
}

/** The time since the backup counts as one in which nothing could run: leases and lifetimes have what was left of them. */
function standStill(db: Connection, from: number, now: number): void {
  if (now <= from) return
  const total = totalOf(db)
  db.prepare(`INSERT INTO main.gaps (at, seconds, cause, total) VALUES (?, ?, 'restore', ?)`).run(now, now - from, total + now - from)
}

/** Intents and keys of the present, held against those that were restored. Status 2 and above is final. */
function compare(db: Connection): RecoveryReport['losses'] {
  const count = (sql: string): number => db.prepare(sql).pluck().get() as number
  const isOther = powersIn(db).map((column) => `p.${column} IS NOT k.${column}`).join(' OR ')
  return {
    gone: count('SELECT count(*) FROM present.intents p WHERE NOT EXISTS (SELECT 1 FROM main.intents i WHERE i.n = p.n)'),
    reopened: count('SELECT count(*) FROM present.intents p JOIN main.intents i ON i.n = p.n WHERE p.status >= 2 AND i.status < 2'),
    keysGone: count(`SELECT count(*) FROM present.keys p WHERE p.revoked_at IS NULL AND p.digest <> '' AND p.id NOT IN (SELECT id FROM main.keys)`),
    keysBack: count(`SELECT count(*) FROM main.keys k WHERE k.revoked_at IS NULL AND k.digest <> '' AND k.id NOT IN (SELECT id FROM present.keys)`),
    keysKept: count(`SELECT count(*) FROM present.keys p JOIN main.keys k ON k.id = p.id WHERE k.revoked_at IS NULL AND k.digest <> '' AND (${isOther})`)
  }
}

function quote(text: string): string {
  return `'${text}'`
}
