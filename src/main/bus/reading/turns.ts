/**
 * Milliseconds that the thread works in one go. Where there are fewer cores than work, systems let a thread that comes
 * from a rest finish its slice of some 3 ms before they give the core back to the bus, at whatever priority: only a
 * thread that has gone to rest by itself by then holds nobody up.
 */
const TURN_MS = 0.5
/** Rest for each millisecond of work, so that two thirds of a core are left to the workers. */
const REST = 2

interface Waiting {
  readonly run: () => void
}

/** Shares the reading thread out among long questions, a turn at a time, with a rest after each turn. */
export class Turns {
  readonly #waiting: Waiting[] = []
  #isResting = false
  /** Milliseconds of work since the last rest. */
  #worked = 0

  /** Runs work of a millisecond at most when it is its turn. */
  take<T>(work: () => T): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>()
    this.#waiting.push({
      run: () => {
        try {
          resolve(work())
        } catch (error) {
          reject(error as Error)
        }
      }
    })
    if (!this.#isResting) this.#next()
    return promise
  }

  #next(): void {
    const next = this.#waiting.shift()
    this.#isResting = next !== undefined
    if (next === undefined) return
    const started = performance.now()
    next.run()
    this.#worked += performance.now() - started
    // What took no time needs no rest, only a look at what else was asked.
    if (this.#worked < TURN_MS) setImmediate(() => this.#next())
    else this.#rest()
  }

  #rest(): void {
    setTimeout(() => this.#next(), this.#worked * REST)
    this.#worked = 0
  }
}

/** One long question among others: how it takes its turns. Once it is given up, the next turn throws the signal's reason. */
export class Share {
  readonly #turns: Turns
  readonly #signal: AbortSignal

  constructor(turns: Turns, signal: AbortSignal) {
    this.#turns = turns
    this.#signal = signal
  }

  /** Runs work of a millisecond at most. */
  turn<T>(work: () => T): Promise<T> {
    this.#signal.throwIfAborted()
    return this.#turns.take(() => {
      this.#signal.throwIfAborted()
      return work()
    })
  }

  /** Takes steps until one of them says that it was the last, as many in a turn as there is time for. */
  async repeat(step: () => boolean): Promise<void> {
    let isDone = false
    while (!isDone) {
      isDone = await this.turn(() => {
        const end = performance.now() + TURN_MS
        while (performance.now() < end) if (step()) return true
        return false
      })
    }
  }
}

/** How many rows a statement may look at so that it takes a turn's time: learnt from the ones before. */
export class ChunkSize {
  #rows: number

  constructor(start: number) {
    this.#rows = start
  }

  /** Runs a statement that looks at `rows` rows and adapts to how long it took. */
  measure<T>(statement: (rows: number) => T): T {
    const started = performance.now()
    const result = statement(this.#rows)
    const took = performance.now() - started
    const factor = Math.min(MAX_GROWTH, TURN_MS / Math.max(took, 0.01))
    this.#rows = Math.max(MIN_ROWS, Math.min(MAX_ROWS, Math.floor(this.#rows * factor)))
    return result
  }
}

const MAX_GROWTH = 4
const MIN_ROWS = 25
const MAX_ROWS = 100_000
