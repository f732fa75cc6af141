import { SvelteMap } from 'svelte/reactivity'
import type { IntentView } from '../../../shared/control/intent-views.ts'
import type { Batch } from '../../lib/state/feed.svelte.ts'
import type { Interface } from '../../lib/state/interface.ts'
import { asControlError } from '../../lib/state/query.svelte.ts'
import { readStored, writeStored } from '../../lib/state/stored.ts'

const STORED = 'template-runs'
/** Runs that are remembered, those of the templates run last. */
const MAX_RUNS = 40

/** What came of each template when this browser ran it last. */
export class TemplateRuns {
  /** Intents by the id of the template, the last run last. */
  readonly #ids = new SvelteMap<string, string>(readRuns())
  readonly #intents = new SvelteMap<string, IntentView>()
  readonly #shared: Interface

  constructor(shared: Interface) {
    this.#shared = shared
  }

  /** The intent of a template's last run; undefined where there was none, or it is not known yet. */
  lastOf(templateId: string): IntentView | undefined {
    const id = this.#ids.get(templateId)
    return id === undefined ? undefined : this.#intents.get(id)
  }

  /** A template was run. */
  note(templateId: string, intentId: string): void {
    this.#ids.delete(templateId)
    this.#ids.set(templateId, intentId)
    for (const oldest of [...this.#ids.keys()].slice(0, -MAX_RUNS)) this.#ids.delete(oldest)
    writeStored(STORED, JSON.stringify([...this.#ids]))
    void this.#look([intentId])
  }

  /** Asks for all of them. */
  refresh(): void {
    void this.#look([...this.#ids.values()])
  }

  /** Takes over what happened. */
  take({ changes, missed }: Batch): void {
    const ids = new Set(this.#ids.values())
    if (missed > 0) this.refresh()
    else void this.#look([...new Set(changes.map(({ id }) => id))].filter((id) => ids.has(id)))
  }

  async #look(ids: readonly string[]): Promise<void> {
    await Promise.all(
      ids.map(async (id) => {
        try {
          this.#intents.set(id, await this.#shared.call('intents.detail', { id }))
        } catch (error) {
          // The last that was known stays, unless the intent is gone.
          if (asControlError(error).code === 'not_found') this.#intents.delete(id)
        }
      })
    )
  }
}

function readRuns(): [string, string][] {
  try {
    const stored: unknown = JSON.parse(readStored(STORED) ?? '[]')
    return Array.isArray(stored) ? stored.filter((entry): entry is [string, string] => Array.isArray(entry) && entry.every((id) => typeof id === 'string')) : []
  } catch {
    return []
  }
}
