import type { Template } from '../../shared/control/library-views.ts'
import { ProtocolError } from '../../shared/errors.ts'
import type { Random } from './random.ts'
import type { Commits } from './store/commits.ts'
import type { Connection, Statement } from './store/database.ts'

export const MAX_TEMPLATES = 500
const ID_BYTES = 8

/** What of a template is stored as JSON. */
type Content = Omit<Template, 'id' | 'updatedAt'>

interface Row {
  readonly id: string
  readonly content: string
  readonly updated_at: number
}

/** Intents that operators keep to publish again. */
export class Templates {
  readonly #commits: Commits
  readonly #random: Random
  readonly #list: Statement
  readonly #find: Statement
  readonly #count: Statement
  readonly #upsert: Statement
  readonly #delete: Statement

  constructor(db: Connection, commits: Commits, random: Random) {
    this.#commits = commits
    this.#random = random
    this.#list = db.prepare('SELECT id, content, updated_at FROM templates')
    this.#find = db.prepare('SELECT id, content, updated_at FROM templates WHERE id = ?')
    this.#count = db.prepare('SELECT count(*) FROM templates').pluck()
    this.#upsert = db.prepare('INSERT OR REPLACE INTO templates (id, content, updated_at) VALUES (?, ?, ?)')
    this.#delete = db.prepare('DELETE FROM templates WHERE id = ?')
  }

  /** All of them, by name. */
  list(): Template[] {
    return (this.#list.all() as Row[]).map(toTemplate).sort((a, b) => a.name.localeCompare(b.name))
  }

  /** undefined when there is none with that id. */
  find(id: string): Template | undefined {
    const row = this.#find.get(id) as Row | undefined
    return row && toTemplate(row)
  }

  /** Adds a template, or with an id changes the one that has it. Throws 404, and 429 `limit_exceeded` for one too many. */
  save({ id, ...content }: Content & { readonly id: string | null }): Promise<Template> {
    return this.#commits.run((now) => {
      if (id === null && (this.#count.get() as number) >= MAX_TEMPLATES) {
        throw new ProtocolError('limit_exceeded', `There are ${MAX_TEMPLATES} templates already; remove one first.`)
      }
      if (id !== null && this.#find.get(id) === undefined) {
        throw new ProtocolError('not_found', 'There is no such template any more; save it as a new one.')
      }
      const template = { ...content, id: id ?? this.#random.hex(ID_BYTES), updatedAt: now }
      this.#upsert.run(template.id, JSON.stringify(content), now)
      return template
    })
  }

  /** One that is gone already is no trouble. */
  async remove(id: string): Promise<void> {
    await this.#commits.run(() => this.#delete.run(id))
  }
}

function toTemplate({ id, content, updated_at }: Row): Template {
  return { ...(JSON.parse(content) as Content), id, updatedAt: updated_at }
}
