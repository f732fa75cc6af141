import type { Connection } from './store/database.ts'

/**
 * What the bus remembers about itself. Secrets are here as digests only. `write_probe`: when it last had to try whether the disk
 * takes anything. `signed_after`: when the spent nonces were lost (Unix seconds).
 */
export type MetaName = 'paused' | 'write_probe' | 'signed_after' | 'main_key_digest' | 'dashboard_password_digest'

export class Meta {
  readonly #get
  readonly #set

  constructor(db: Connection) {
    this.#get = db.prepare('SELECT value FROM meta WHERE name = ?').pluck()
    this.#set = db.prepare('INSERT OR REPLACE INTO meta (name, value) VALUES (?, ?)')
  }

  get(name: MetaName): string | undefined {
    return this.#get.get(name) as string | undefined
  }

  set(name: MetaName, value: string): void {
    this.#set.run(name, value)
  }
}
