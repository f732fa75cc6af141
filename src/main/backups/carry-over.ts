import { digestOf } from '../bus/keys.ts'
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

/** What must not go back in time: who is let in, what was seen already, and the trail of it. In their order. */
const NEVER_BACK = ['sessions', 'nonces', 'audit'] as const

/**
 * Brings a restored database up to what has happened since and must not be undone: the main key and the password are those that the
 * vault has, logins and spent nonces stay as they are, and open intents do not pay for the time in between with their lifetimes.
 * The answer tells what is different from before; null where that could not be read.
 */
export async function carryOver({ next, present, vault, from, now }: CarryOverOptions): Promise<RecoveryReport['losses']> {
  const kept = await digestsInVault(vault)
  const db = openAside(next, 'write')
  try {
    if (present !== undefined) db.prepare('ATTACH ? AS present').run(present)
    const losses = present === undefined ? null : compare(db)
    db.transaction(() => {
      if (present === undefined) setDigests(db, kept)
      else takeFromPresent(db, isOfThisVersion(present))
      if (present === undefined) for (const table of NEVER_BACK.slice(0, 2)) db.exec(`DELETE FROM main.${table}`)
      standStill(db, from, now)
    })()
    return losses
  } finally {
    db.close()
  }
}

function isOfThisVersion(path: string): boolean {
  const db = openAside(path)
  try {
    return versionOf(db) === SCHEMA_VERSION
  } finally {
    db.close()
  }
}

function takeFromPresent(db: Connection, isSameSchema: boolean): void {
  db.exec(`INSERT OR REPLACE INTO main.meta SELECT name, value FROM present.meta WHERE name IN (${Object.keys(SECRET_SLOTS).map(quote).join(', ')})`)
  for (const table of NEVER_BACK) {
    // Of another version only what is dangerous to keep goes.
    if (!isSameSchema && table === 'audit') continue
    db.exec(`DELETE FROM main.${table}`)
    if (isSameSchema) db.exec(`INSERT INTO main.${table} SELECT * FROM present.${table}`)
  }
}

/** Digests of the secrets that the vault has, by their names in the database. */
async function digestsInVault(vault: Vault): Promise<ReadonlyMap<string, string>> {
  const digests = new Map<string, string>()
  for (const [name, slot] of Object.entries(SECRET_SLOTS)) {
    const secret = await vault.read(slot)
    if (secret !== undefined) digests.set(name, digestOf(secret))
  }
  return digests
}

/** A secret that the vault does not have stays as it was then: somebody may know it. */
function setDigests(db: Connection, digests: ReadonlyMap<string, string>): void {
  const set = db.prepare('INSERT OR REPLACE INTO main.meta (name, value) VALUES (?, ?)')
  for (const [name, digest] of digests) set.run(name, digest)
}

/** The time since the backup counts as one in which nothing could run: leases and lifetimes have what was left of them. */
function standStill(db: Connection, from: number, now: number): void {
  if (now <= from) return
  const total = (db.prepare('SELECT total FROM main.gaps ORDER BY n DESC LIMIT 1').pluck().get() as number | undefined) ?? 0
  db.prepare(`INSERT INTO main.gaps (at, seconds, cause, total) VALUES (?, ?, 'restore', ?)`).run(now, now - from, total + now - from)
}

/** Intents and keys of the present, held against those that were restored. Status 2 and above is final. */
function compare(db: Connection): RecoveryReport['losses'] {
  const count = (sql: string): number => db.prepare(sql).pluck().get() as number
  return {
    gone: count('SELECT count(*) FROM present.intents p WHERE NOT EXISTS (SELECT 1 FROM main.intents i WHERE i.n = p.n)'),
    reopened: count('SELECT count(*) FROM present.intents p JOIN main.intents i ON i.n = p.n WHERE p.status >= 2 AND i.status < 2'),
    keysGone: count(`SELECT count(*) FROM present.keys p WHERE p.revoked_at IS NULL AND p.digest <> '' AND p.id NOT IN (SELECT id FROM main.keys)`),
    keysBack: count(`SELECT count(*) FROM present.keys p JOIN main.keys k ON k.id = p.id WHERE p.revoked_at IS NOT NULL AND k.revoked_at IS NULL`)
  }
}

function quote(text: string): string {
  return `'${text}'`
}
