import type { KeyImpact, KeyView } from '../../../shared/control/key-views.ts'
import type { KeyLimits } from '../../../shared/scope.ts'
import { readLimits, type StoredLimits } from '../key-limits.ts'
import { MAIN_KEY_ID } from '../keys.ts'
import { isExpired } from '../scopes.ts'
import type { Connection } from '../store/database.ts'
import { countsOf } from './names.ts'

/** Why a key may not claim, or what limits its claims. */
export type Bar = 'revoked' | 'expired' | KeyLimits

/** Before its first request nothing is known of the main key: then it is as old as the oldest of all keys. */
const KEYS = `
  SELECT * FROM (
    SELECT id, owner, created_at AS createdAt, last_used_at AS lastUsedAt, last_address AS lastAddress, requests,
      scope, expires_at, rate_limit
    FROM keys
    WHERE revoked_at IS NULL AND (digest <> '' OR id = @main)
    UNION ALL
    SELECT @main, '', coalesce((SELECT min(created_at) FROM keys), 0), NULL, NULL, 0, NULL, NULL, NULL
    WHERE NOT EXISTS (SELECT 1 FROM keys WHERE id = @main))
  ORDER BY id <> @main, createdAt DESC, id`

interface KeyRow extends StoredLimits, Omit<KeyView, 'intents' | keyof KeyLimits> {}

export const LEASES_OF_KEY = `
  SELECT count(*) FROM intents INDEXED BY intents_lease WHERE status = 1 AND claim_expires_at > 0 AND claimed_by = ?`

/** The main key first, then the generated ones that count, newest first, with the intents that each published. */
export function readKeys(db: Connection): KeyView[] {
  const keys = db.prepare(KEYS).all({ main: MAIN_KEY_ID }) as KeyRow[]
  const tallies = db.prepare('SELECT publisher, status, sum(count) AS count FROM tallies GROUP BY publisher, status').all()
  const byKey = Map.groupBy(tallies as { publisher: string; status: number; count: number }[], ({ publisher }) => publisher)
  return keys.map(({ scope, expires_at, rate_limit, ...key }) => ({
    ...key,
    ...readLimits({ scope, expires_at, rate_limit }),
    owner: key.id === MAIN_KEY_ID ? MAIN_KEY_ID : key.owner,
    intents: countsOf(byKey.get(key.id) ?? [])
  }))
}

/** What revoking a key would touch; nothing for a key that is not known. */
export function readKeyImpact(db: Connection, id: string): KeyImpact {
  const tallies = db.prepare('SELECT status, sum(count) AS count FROM tallies WHERE publisher = ? GROUP BY status').all(id)
  const { open, claimed } = countsOf(tallies as { status: number; count: number }[])
  const leases = db.prepare(LEASES_OF_KEY).pluck().get(id) as number
  const workers = db
    .prepare('SELECT coalesce(worker, address) FROM workers WHERE key_id = ? ORDER BY last_seen_at DESC, ref')
    .pluck()
    .all(id) as string[]
  return { open, claimed, leases, workers }
}

/** What bars keys from claiming, by id; keys that nothing bars are not in it. */
export function readBars(db: Connection, now: number): Map<string, Bar> {
  const rows = db
    .prepare(
      `SELECT id, revoked_at, scope, expires_at, rate_limit FROM keys
       WHERE revoked_at IS NOT NULL OR scope IS NOT NULL OR expires_at <= ?`
    )
    .all(now) as (StoredLimits & { id: string; revoked_at: number | null })[]
  return new Map(
    rows.map(({ id, revoked_at, ...stored }) => {
      const limits = readLimits(stored)
      return [id, revoked_at !== null ? 'revoked' : isExpired(limits, now) ? 'expired' : limits]
    })
  )
}

/** Owners of generated keys, revoked ones included, by id. */
export function readKeyOwners(db: Connection): Map<string, string> {
  return new Map(db.prepare(`SELECT id, owner FROM keys WHERE digest <> ''`).raw().all() as [string, string][])
}
