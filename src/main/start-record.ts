import { readFileSync } from 'node:fs'
import type { Clock } from './bus/clock.ts'
import { writeFileAtomically } from './files.ts'

/** Starts in a row that ended by themselves, and soon, before the next one leaves out what may be to blame. */
export const MAX_CRASHES = 3
/** Seconds after which a start has gone well, however it ends. */
const PROVEN_AFTER = 120

/**
 * Counts starts that came to a bad end soon, in a file: whatever brings the process down, the next start knows. A bus that
 * crashes at every start is started with only what it cannot do without, so that its user can get at it.
 */
export class StartRecord {
  readonly #path: string
  readonly #clock: Clock
  /** Starts before this one, in a row, that crashed soon. */
  readonly crashes: number
  #cancel: (() => void) | undefined

  /** Counts this start as one that crashed, until it is proven or ended in order. */
  constructor(path: string, clock: Clock) {
    this.#path = path
    this.#clock = clock
    this.crashes = readCrashes(path)
    this.#write(this.crashes + 1)
  }

  /** Whether this start should leave out what it can do without. */
  get isCareful(): boolean {
    return this.crashes >= MAX_CRASHES
  }

  /** The bus runs: if it goes on for a while, the next start is as any other. */
  begun(): void {
    this.#cancel = this.#clock.after(PROVEN_AFTER, () => this.#write(0))
  }

  /** The bus ends in order, or says why it cannot start. */
  ended(): void {
    this.#cancel?.()
    this.#write(0)
  }

  /** On a full disk nothing is counted: that is no reason not to start. */
  #write(crashes: number): void {
    try {
      writeFileAtomically(this.#path, `${JSON.stringify({ crashes })}\n`)
    } catch {
      // The start itself will say what is wrong with the folder.
    }
  }
}

function readCrashes(path: string): number {
  try {
    const { crashes } = JSON.parse(readFileSync(path, 'utf8')) as { readonly crashes?: unknown }
    return Number.isSafeInteger(crashes) ? Math.max(0, crashes as number) : 0
  } catch {
    // There is none at the first start, and one that cannot be read tells nothing.
    return 0
  }
}
