import { appendFile, readFile, rename } from 'node:fs/promises'
import type { SettledEntry, SettledStore } from '../../shared/client/index.ts'

export interface SettledFileOptions {
  /** How many entries are certainly kept; there may be twice as many. Default: 10,000. */
  readonly max?: number
}

/** Settled ids in a file, a line of JSON for each, and older ones in a second file beside it; for one program at a time. */
export class SettledFile implements SettledStore {
  readonly #path: string
  readonly #max: number
  #lines = 0
  /** One write after the other, in their order. */
  #last: Promise<void> = Promise.resolve()

  constructor(path: string, { max = 10_000 }: SettledFileOptions = {}) {
    this.#path = path
    this.#max = max
  }

  /** Skips what a crash cut short. Rejects when the file is there and cannot be read. */
  async load(): Promise<readonly SettledEntry[]> {
    const [older, newer] = await Promise.all([readLines(this.#olderPath), readLines(this.#path)])
    this.#lines = newer.length
    return [...older, ...newer].flatMap(parse)
  }

  /** Resolves when the operating system has it. */
  append(entry: SettledEntry): Promise<void> {
    const write = (): Promise<void> => this.#write(entry)
    this.#last = this.#last.then(write, write)
    return this.#last
  }

  async #write(entry: SettledEntry): Promise<void> {
    if (this.#lines >= this.#max) {
      // Somebody may have cleared it away.
      await rename(this.#path, this.#olderPath).catch(unlessAbsent)
      this.#lines = 0
    }
    // It begins with a line end: a line that was cut short must not swallow this one.
    await appendFile(this.#path, `\n${JSON.stringify(entry)}\n`, { mode: 0o600 })
    this.#lines++
  }

  get #olderPath(): string {
    return `${this.#path}.older`
  }
}

async function readLines(path: string): Promise<string[]> {
  try {
    return (await readFile(path, 'utf8')).split('\n').filter((line) => line !== '')
  } catch (error) {
    unlessAbsent(error)
    return []
  }
}

/** Throws what is another trouble than that a file is not there. */
function unlessAbsent(error: unknown): void {
  if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
}

function parse(line: string): SettledEntry[] {
  try {
    return [JSON.parse(line) as SettledEntry]
  } catch {
    return []
  }
}
