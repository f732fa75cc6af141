import type { ClaimedIntent } from './answers.ts'
import { JsonText, writeJson } from './exact-json.ts'
import { TextResult } from './handler.ts'

/** What is remembered of an intent whose work is done. */
export interface SettledEntry {
  readonly id: string
  /** Which attempt did the work; null: forgotten, since the intent was started afresh. */
  readonly attempt: number | null
  /** JSON text; null where there is no result. */
  readonly result: string | null
  readonly resultType: 'json' | 'text'
}

/** Keeps entries beyond the end of the program. Of several entries with the same id the last counts. */
export interface SettledStore {
  /** In the order in which they were appended. */
  load(): Promise<readonly SettledEntry[]>
  append(entry: SettledEntry): Promise<void>
}

export interface SettledIdsOptions {
  /** How many are remembered; the oldest are forgotten first. Default: 10,000. */
  readonly max?: number
  readonly store?: SettledStore
}

/**
 * Remembers intents whose work is done. Delivery is at least once (SPEC 2): an intent comes again when its fulfil was lost on
 * the way, and then it is settled with the result that is remembered, without working on it twice.
 */
export class SettledIds {
  readonly #entries = new Map<string, SettledEntry>()
  readonly #max: number
  readonly #store: SettledStore | undefined
  #loading: Promise<void> | undefined

  constructor({ max = 10_000, store }: SettledIdsOptions = {}) {
    this.#max = max
    this.#store = store
  }

  /** The result of work that was done in an earlier attempt; undefined when there is work to do. Rejects as the store does. */
  async recall(intent: ClaimedIntent): Promise<{ readonly result: unknown } | undefined> {
    await this.#loaded()
    const entry = this.#entries.get(intent.id)
    if (entry === undefined || entry.attempt === null) return undefined
    if (intent.claimAttempts > entry.attempt) return { result: resultOf(entry) }
    // Attempts count from one again: an operator retried it, and wants the work done anew.
    await this.forget(intent)
    return undefined
  }

  /** Remembers a result, before the bus is told. Throws TypeError for one that is no JSON; rejects as the store does. */
  async remember({ id, claimAttempts }: ClaimedIntent, result: unknown): Promise<void> {
    const isText = result instanceof TextResult
    const value = isText ? result.text : result
    const text = value === undefined ? null : writeJson(value)
    await this.#add({ id, attempt: claimAttempts, result: text, resultType: isText ? 'text' : 'json' })
  }

  /** Has the work done anew when the intent comes again. Rejects as the store does. */
  async forget({ id }: ClaimedIntent): Promise<void> {
    await this.#add({ id, attempt: null, result: null, resultType: 'json' })
  }

  /** A load that failed is tried again the next time. */
  #loaded(): Promise<void> {
    this.#loading ??= this.#load().catch((error: unknown) => {
      this.#loading = undefined
      throw error
    })
    return this.#loading
  }

  async #load(): Promise<void> {
    const loaded = (await this.#store?.load()) ?? []
    // What was remembered before it could be loaded is newer.
    for (const entry of [...loaded, ...this.#entries.values()]) this.#keep(entry)
  }

  async #add(entry: SettledEntry): Promise<void> {
    this.#keep(entry)
    await this.#store?.append(entry)
  }

  #keep(entry: SettledEntry): void {
    // A map keeps the order of insertion: the first is the oldest.
    this.#entries.delete(entry.id)
    this.#entries.set(entry.id, entry)
    if (this.#entries.size > this.#max) this.#entries.delete(this.#entries.keys().next().value!)
  }
}

function resultOf({ result, resultType }: SettledEntry): unknown {
  if (result === null) return undefined
  return resultType === 'text' ? new TextResult(JSON.parse(result) as string) : new JsonText(result)
}
