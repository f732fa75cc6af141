/** How a thread copies pages. It sleeps between two steps. */
export interface Pace {
  /** Pages of a step. */
  readonly pages: number
  /** Called behind every step, and says how many pages the next one takes; it may sleep. */
  rest(): void
}

/** As fast as it goes: while nobody is served. */
export const HASTE: Pace = { pages: 1_024, rest: () => {} }

/** 64 KB: some tenth of a millisecond. */
const GENTLE_PAGES = 16
/** Milliseconds of work until there is a rest; see `reading/turns.ts` for why it is so little. */
const TURN_MS = 0.3
/** Rest for each millisecond of work. */
const REST = 3
const MAX_REST_MS = 20

const nobody = new Int32Array(new SharedArrayBuffer(4))

/** Sleeps, with the whole thread. */
export function sleep(milliseconds: number): void {
  Atomics.wait(nobody, 0, 0, milliseconds)
}

/** Beside a bus that serves: little at a time, and more rest than work. Only for a thread of its own. */
export function gentle(): Pace {
  let started = performance.now()
  return {
    pages: GENTLE_PAGES,
    rest() {
      const worked = performance.now() - started
      if (worked < TURN_MS) return
      sleep(Math.min(worked * REST, MAX_REST_MS))
      started = performance.now()
    }
  }
}
