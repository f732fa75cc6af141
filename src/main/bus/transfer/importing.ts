import { setTimeout as pause } from 'node:timers/promises'
import { TRANSFER_KINDS, type ImportReport, type Outcome, type TransferKind } from '../../../shared/control/transfer-views.ts'
import { ProtocolError } from '../../../shared/errors.ts'
import type { Reader } from '../reading/reader.ts'
import type { Commits } from '../store/commits.ts'
import type { ImportFile } from './import-file.ts'
import type { Fate, ImportParts } from './import-parts.ts'
import { IntentImport } from './intent-import.ts'
import { KeyImport, type AdoptedKey } from './key-import.ts'
import { LibraryImport } from './library-import.ts'
import type { ImportPage, ImportPosition, ImportRecord } from './records.ts'
import { Skips } from './skips.ts'

/** To add an intent is as much work as to delete two, which is what steps are measured by. */
const WEIGHT = 2
/** A busy database is asked again so often, after so many milliseconds. */
const RETRIES = 20
const RETRY_MS = 250

const KIND_OF: Readonly<Record<ImportRecord['type'], TransferKind>> = {
  intent: 'intents',
  key: 'keys',
  template: 'templates',
  saved_view: 'savedViews',
  key_value: 'keyValues'
}

export interface ImportRun {
  readonly file: ImportFile
  /** The digests of keys, by their ids in the file, as far as somebody may know them. */
  readonly digests: ReadonlyMap<string, string>
  readonly signal: AbortSignal
  /** Hears after each step what became of the records so far; all of that is on disk. */
  onProgress(soFar: Progress): void
}

/** What became of the records so far; goes on counting. */
export interface Progress {
  /** Records that are done. */
  readonly count: number
  readonly result: Omit<ImportReport, 'notes'>
}

/**
 * Adds what a file holds, in small steps between the requests, which hardly notice. What is there already stays as it is, so
 * that an import that was interrupted can be run again.
 */
export class Importing {
  readonly #commits: Commits
  readonly #reader: Reader
  readonly #parts: ImportParts
  readonly #onKeys: (adopted: readonly AdoptedKey[]) => void

  /** `onKeys` hears of keys that count once they are on disk. */
  constructor(commits: Commits, reader: Reader, parts: ImportParts, onKeys: (adopted: readonly AdoptedKey[]) => void) {
    this.#commits = commits
    this.#reader = reader
    this.#parts = parts
    this.#onKeys = onKeys
  }

  /** Adds all records of a file that was checked. Rejects when the database takes nothing, and with the signal's reason. */
  async run({ file, digests, signal, onProgress }: ImportRun): Promise<Omit<ImportReport, 'notes'>> {
    const keys = new KeyImport(this.#parts, digests)
    const steps = new Steps(keys, new IntentImport(this.#parts), new LibraryImport(this.#parts))
    const tally = new Tally()
    let position: ImportPosition = null
    do {
      const page: ImportPage = await this.#reader.ask('readImport', file, position, this.#parts.clock.now(), signal)
      for (let from = 0; from < page.records.length; ) {
        signal.throwIfAborted()
        const { fates, adopted } = await this.#step(steps, page.records, from, signal)
        if (adopted.length > 0) this.#onKeys(adopted)
        fates.forEach((fate, i) => tally.add(page.records[from + i]!, fate))
        from += fates.length
        onProgress(tally)
      }
      position = page.next
    } while (position !== null)
    return tally.result
  }

  async #step(steps: Steps, records: readonly ImportRecord[], from: number, signal: AbortSignal): Promise<StepResult> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#commits.background((now, rows) => steps.add(records.slice(from, from + rows / WEIGHT), now))
      } catch (error) {
        const isBusy = error instanceof ProtocolError && error.code === 'database_busy'
        if (!isBusy || attempt === RETRIES) throw error
        await pause(RETRY_MS, undefined, { signal }).catch(() => signal.throwIfAborted())
      }
    }
  }
}

interface StepResult {
  readonly fates: readonly Fate[]
  readonly adopted: readonly AdoptedKey[]
}

/** One step: it may run twice, and keeps nothing that a rollback would not take back. */
class Steps {
  readonly #keys: KeyImport
  readonly #intents: IntentImport
  readonly #library: LibraryImport

  constructor(keys: KeyImport, intents: IntentImport, library: LibraryImport) {
    this.#keys = keys
    this.#intents = intents
    this.#library = library
  }

  add(records: readonly ImportRecord[], now: number): StepResult {
    const adopted: AdoptedKey[] = []
    this.#intents.begin()
    const fates = records.map((record) => this.#addOne(record, now, adopted))
    this.#intents.finish()
    return { fates, adopted }
  }

  #addOne(record: ImportRecord, now: number, adopted: AdoptedKey[]): Fate {
    switch (record.type) {
      case 'key':
        return this.#keys.add(record, now, adopted)
      case 'intent':
        return this.#intents.add(this.#keys.renamed(record))
      case 'key_value':
        return this.#library.addValue({ ...record, keyId: this.#keys.nameHere(record.keyId) }, now)
      case 'template':
        return this.#library.addTemplate(record)
      case 'saved_view':
        return this.#library.addView(record)
    }
  }
}

/** Counts what became of all records. */
class Tally implements Progress {
  readonly #skips = new Skips()
  readonly #counts = new Map<TransferKind, ReturnType<typeof noFates>>()
  count = 0

  add(record: ImportRecord, fate: Fate): void {
    const what = KIND_OF[record.type]
    const counts = this.#counts.get(what) ?? noFates()
    this.#counts.set(what, counts)
    this.count++
    if (typeof fate === 'string') counts[fate]++
    else {
      counts.skipped++
      this.#skips.add(what, fate.skipped, nameOf(record))
    }
  }

  get result(): Omit<ImportReport, 'notes'> {
    const outcomes: Outcome[] = TRANSFER_KINDS.map((what) => ({ what, ...(this.#counts.get(what) ?? noFates()) }))
    return { outcomes, skipped: this.#skips.list }
  }
}

function noFates() {
  return { added: 0, named: 0, completed: 0, present: 0, skipped: 0 }
}

function nameOf(record: ImportRecord): string {
  switch (record.type) {
    case 'intent':
      return record.goal
    case 'key':
      return record.owner
    case 'key_value':
    case 'saved_view':
      return record.name
    case 'template':
      return record.id
  }
}
