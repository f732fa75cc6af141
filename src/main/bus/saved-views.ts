import type { SavedView } from '../../shared/control/library-views.ts'
import { ProtocolError } from '../../shared/errors.ts'
import type { Random } from './random.ts'
import type { Commits } from './store/commits.ts'
import type { Connection, Statement } from './store/database.ts'

export const MAX_SAVED_VIEWS = 200
const ID_BYTES = 8

/** Filters that operators keep under a name. */
export class SavedViews {
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
    this.#list = db.prepare('SELECT id, name, filter FROM saved_views')
    this.#find = db.prepare('SELECT 1 FROM saved_views WHERE id = ?')
    this.#count = db.prepare('SELECT count(*) FROM saved_views').pluck()
    this.#upsert = db.prepare('INSERT OR REPLACE INTO saved_views (id, name, filter) VALUES (?, ?, ?)')
    this.#delete = db.prepare('DELETE FROM saved_views WHERE id = ?')
  }

  /** All of them, by name. */
  list(): SavedView[] {
    return (this.#list.all() as SavedView[]).sort((a, b) => a.name.localeCompare(b.name))
  }

  /** Adds a view, or with an id changes the one that has it. Throws 404, and 429 `limit_exceeded` for one too many. */
  save({ id, name, filter }: Omit<SavedView, 'id'> & { readonly id: string | null }): Promise<SavedView> {
    return this.#commits.run(() => {
      if (id === null && (this.#count.get() as number) >= MAX_SAVED_VIEWS) {
        throw new ProtocolError('limit_exceeded', `There are ${MAX_SAVED_VIEWS} saved views already; remove one first.`)
      }
      if (id !== null && this.#find.get(id) === undefined) {
        throw new ProtocolError('not_found', 'There is no such view any more; save it as a new one.')
      }
      const view = { id: id ?? this.#random.hex(ID_BYTES), name, filter }
      this.#upsert.run(view.id, view.name, view.filter)
      return view
    })
  }

  /** One that is gone already is no trouble. */
  async remove(id: string): Promise<void> {
    await this.#commits.run(() => this.#delete.run(id))
  }
}
