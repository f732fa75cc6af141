import type { KeyImpact, KeyView } from '../../../shared/control/views.ts'
import { MAIN_KEY_ID } from '../keys.ts'
import type { Connection } from '../store/database.ts'
import { countsOf } from './names.ts'

/** Before its first request nothing is known of the main key: then it is as old as the oldest of all keys. */
const KEYS = `
  SELECT * FROM (
    SELECT id, owner, created_at AS createdAt, last_used_at AS lastUsedAt, requests FROM keys
    WHERE revoked_at IS NULL AND (digest <> '' OR id = @main)
    UNION ALL
    SELECT @main, '', coalesce((SELECT min(created_at) FROM keys), 0), NULL, 0
    WHERE NOT EXISTS (SELECT 1 FROM keys WHERE id = @main))
  ORDER BY id <> @main, createdAt DESC, id`

export const LEASES_OF_KEY = `
  SELECT count(*) FROM intents INDEXED BY intents_lease WHERE status = 1 AND claim_expires_at > 0 AND claimed_by = ?`

/** The main key first, then the generated ones that count, newest first, with the intents that each published. */
export function readKeys(db: Connection): KeyView[] {
  const keys = db.prepare(KEYS).all({ main: MAIN_KEY_ID }) as Omit<KeyView, 'intents'>[]
  const tallies = db.prepare('SELECT publisher, status, sum(count) AS count FROM tallies GROUP BY publisher, status').all()
  const byKey = Map.groupBy(tallies as { publisher: string; status: number; count: number }[], ({ publisher }) => publisher)
  return keys.map((key) => ({
    ...key,
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

/** Owners of generated keys, revoked ones included, by id. */
export function readKeyOwners(db: Connection): Map<string, string> {
  return new Map(db.prepare(`SELECT id, owner FROM keys WHERE digest <> ''`).raw().all() as [string, string][])
}
