import { storedLimits } from '../key-limits.ts'
import type { Key, Keys } from '../keys.ts'
import type { Statement } from '../store/database.ts'
import type { Fate, ImportParts } from './import-parts.ts'
import type { ImportedIntent, ImportedKey } from './records.ts'

/** A key that counts from now on. */
export interface AdoptedKey {
  readonly key: Key
  readonly digest: string
}

/** Stands where a digest would, of a key that came without its secret: no key has it, and nobody is let in by it. */
const WITHOUT_SECRET = '-'

const INSERT = `
  INSERT INTO keys (id, owner, digest, created_at, revoked_at, last_used_at, requests, scope, expires_at, rate_limit)
  VALUES (@id, @owner, @digest, @createdAt, @revokedAt, @lastUsedAt, @requests, @scope, @expires_at, @rate_limit)`

/** Adds keys from elsewhere. Inside transactions. */
export class KeyImport {
  readonly #keys: Keys
  readonly #digests: ReadonlyMap<string, string>
  /** Keys that are here under other ids than in the file. */
  readonly #here = new Map<string, string>()
  readonly #find: Statement
  readonly #findDigest: Statement
  readonly #insert: Statement
  readonly #complete: Statement

  /** `digests`: by the ids of the file; without one a key only lends its name to what was published with it. */
  constructor({ store: { db }, keys }: ImportParts, digests: ReadonlyMap<string, string>) {
    this.#keys = keys
    this.#digests = digests
    this.#find = db.prepare('SELECT digest FROM keys WHERE id = ?').pluck()
    this.#findDigest = db.prepare('SELECT id FROM keys WHERE digest = ?').pluck()
    this.#insert = db.prepare(INSERT)
    this.#complete = db.prepare('UPDATE keys SET digest = ?, revoked_at = NULL WHERE id = ?')
  }

  /** Adds a key; one that counts goes to `adopted`, too. */
  add(key: ImportedKey, now: number, adopted: AdoptedKey[]): Fate {
    const digest = key.revokedAt === null ? (key.digest ?? this.#digests.get(key.id)) : undefined
    const there = this.#find.get(key.id) as string | undefined
    if (there !== undefined && there !== WITHOUT_SECRET) return 'present'
    if (there !== undefined && digest === undefined) return key.revokedAt === null ? 'named' : 'present'
    const other = digest === undefined ? undefined : this.#holderOf(digest)
    if (other !== undefined) {
      this.#here.set(key.id, other)
      return 'present'
    }
    if (there !== undefined) this.#complete.run(digest, key.id)
    else {
      const revokedAt = digest === undefined ? (key.revokedAt ?? now) : null
      this.#insert.run({ ...key, ...storedLimits(key.limits), digest: digest ?? WITHOUT_SECRET, revokedAt })
    }
    const { id, owner, limits } = key
    if (digest === undefined) return key.revokedAt === null ? 'named' : 'added'
    adopted.push({ key: { id, owner, isMain: false, limits }, digest })
    return there === undefined ? 'added' : 'completed'
  }

  /** What a key of the file is called here. */
  nameHere(id: string): string {
    return this.#here.get(id) ?? id
  }

  renamed(intent: ImportedIntent): ImportedIntent {
    if (this.#here.size === 0) return intent
    const { publisher, claimed_by } = intent
    return { ...intent, publisher: this.nameHere(publisher), claimed_by: claimed_by && this.nameHere(claimed_by) }
  }

  #holderOf(digest: string): string | undefined {
    return this.#keys.idOfDigest(digest) ?? (this.#findDigest.get(digest) as string | undefined)
  }
}
