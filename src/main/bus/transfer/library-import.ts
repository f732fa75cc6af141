import { MAX_STORE_KEYS, TTL } from '../../../shared/limits.ts'
import { MAX_SAVED_VIEWS } from '../saved-views.ts'
import type { Statement } from '../store/database.ts'
import { MAX_TEMPLATES } from '../templates.ts'
import type { Fate, ImportParts } from './import-parts.ts'
import type { ImportedKeyValue, ImportedTemplate, ImportedView } from './records.ts'

/** Adds templates, saved views and values of the key-value store from elsewhere. Inside transactions. */
export class LibraryImport {
  readonly #findTemplate: Statement
  readonly #countTemplates: Statement
  readonly #insertTemplate: Statement
  readonly #findView: Statement
  readonly #countViews: Statement
  readonly #insertView: Statement
  readonly #findValue: Statement
  readonly #countValues: Statement
  readonly #insertValue: Statement

  constructor({ store: { db } }: ImportParts) {
    this.#findTemplate = db.prepare('SELECT 1 FROM templates WHERE id = ?')
    this.#countTemplates = db.prepare('SELECT count(*) FROM templates').pluck()
    this.#insertTemplate = db.prepare('INSERT INTO templates (id, content, updated_at) VALUES (?, ?, ?)')
    this.#findView = db.prepare('SELECT 1 FROM saved_views WHERE id = ?')
    this.#countViews = db.prepare('SELECT count(*) FROM saved_views').pluck()
    this.#insertView = db.prepare('INSERT INTO saved_views (id, name, filter) VALUES (?, ?, ?)')
    this.#findValue = db.prepare('SELECT 1 FROM store WHERE key_id = ? AND name = ? AND expires_at > ?')
    this.#countValues = db.prepare('SELECT count(*) FROM store WHERE key_id = ? AND expires_at > ?').pluck()
    this.#insertValue = db.prepare('INSERT OR REPLACE INTO store (key_id, name, value, expires_at) VALUES (?, ?, ?, ?)')
  }

  addTemplate({ id, content, updatedAt }: ImportedTemplate): Fate {
    if (this.#findTemplate.get(id) !== undefined) return 'present'
    if ((this.#countTemplates.get() as number) >= MAX_TEMPLATES) return { skipped: `there are ${MAX_TEMPLATES} templates already` }
    this.#insertTemplate.run(id, content, updatedAt)
    return 'added'
  }

  addView({ id, name, filter }: ImportedView): Fate {
    if (this.#findView.get(id) !== undefined) return 'present'
    if ((this.#countViews.get() as number) >= MAX_SAVED_VIEWS) return { skipped: `there are ${MAX_SAVED_VIEWS} saved views already` }
    this.#insertView.run(id, name, filter)
    return 'added'
  }

  addValue({ keyId, name, value, expiresAt }: ImportedKeyValue, now: number): Fate {
    if (expiresAt <= now) return { skipped: 'its time is over' }
    if (this.#findValue.get(keyId, name, now) !== undefined) return 'present'
    if ((this.#countValues.get(keyId, now) as number) >= MAX_STORE_KEYS) return { skipped: `its key holds ${MAX_STORE_KEYS} already` }
    this.#insertValue.run(keyId, name, value, Math.min(expiresAt, now + TTL.max))
    return 'added'
  }
}
