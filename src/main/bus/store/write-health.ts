import type { Clock } from '../clock.ts'
import { isDiskTrouble, sqliteCode } from './database.ts'

/** Seconds between two attempts to write while the disk takes nothing. */
const PROBE_INTERVAL = 2

/**
 * Whether the disk takes what is written. Requests find out that it does not; that it does again is found out by writing
 * something of little worth every few seconds, so that it is known on an idle bus, too.
 */
export class WriteHealth {
  readonly #clock: Clock
  readonly #probe: () => Promise<void>
  readonly #onChange: () => void
  #trouble: string | null = null
  #cancel: (() => void) | undefined
  #isClosed = false

  /** `probe` writes something, and rejects when it could not. `onChange` hears that trouble began, is another, or is over. */
  constructor(clock: Clock, probe: () => Promise<void>, onChange: () => void) {
    this.#clock = clock
    this.#probe = probe
    this.#onChange = onChange
  }

  /** The SQLITE_... code of what the disk refused last; null while it takes all. */
  get trouble(): string | null {
    return this.#trouble
  }

  /** A transaction failed. */
  failed(error: unknown): void {
    if (this.#isClosed || !isDiskTrouble(error)) return
    this.#set(sqliteCode(error)!)
    this.#cancel ??= this.#clock.after(PROBE_INTERVAL, () => void this.#try())
  }

  close(): void {
    this.#isClosed = true
    this.#cancel?.()
  }

  async #try(): Promise<void> {
    this.#cancel = undefined
    try {
      await this.#probe()
      if (!this.#isClosed) this.#set(null)
    } catch {
      // What failed was told by `failed`; a busy database says nothing about the disk.
      if (!this.#isClosed) this.#cancel ??= this.#clock.after(PROBE_INTERVAL, () => void this.#try())
    }
  }

  #set(trouble: string | null): void {
    if (trouble === this.#trouble) return
    this.#trouble = trouble
    this.#onChange()
  }
}
