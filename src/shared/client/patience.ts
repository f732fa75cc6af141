/** setTimeout takes a signed 32-bit number of milliseconds; a month of patience will do. */
const MAX_TIMER_MS = 2_147_483_647

/** Seconds of a clock that only goes forward. */
export function monotonic(): number {
  return performance.now() / 1000
}

function timer(seconds: number, wake: () => void): ReturnType<typeof setTimeout> {
  return setTimeout(wake, Math.min(Math.max(0, seconds * 1000), MAX_TIMER_MS))
}

/** Resolves after `seconds`. Rejects with the signal's reason as soon as that is aborted. */
export function sleep(seconds: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason)
      return
    }
    const onAbort = (): void => {
      clearTimeout(waiting)
      reject(signal!.reason)
    }
    const waiting = timer(seconds, () => {
      signal?.removeEventListener('abort', onAbort)
      resolve()
    })
    signal?.addEventListener('abort', onAbort, { once: true })
  })
}

/**
 * A signal that aborts when another does or after some seconds. It leaves nothing behind on the other one, which may live
 * as long as the program: that is what AbortSignal.any has trouble with.
 */
export class Patience {
  readonly #controller = new AbortController()
  readonly #given: AbortSignal | undefined
  readonly #onAbort = (): void => this.#controller.abort(this.#given!.reason)
  #timer: ReturnType<typeof setTimeout> | undefined
  #isOver = false
  #isEnded = false

  /** `seconds` may be Infinity. */
  constructor(seconds: number, given?: AbortSignal) {
    this.#given = given
    this.restart(seconds)
    if (given?.aborted) this.#onAbort()
    else given?.addEventListener('abort', this.#onAbort, { once: true })
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  /** Whether it was time that aborted, not the other signal. */
  get isOver(): boolean {
    return this.#isOver
  }

  /** Counts `seconds` from now on, instead of what is left. */
  restart(seconds: number): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (seconds === Infinity || this.signal.aborted || this.#isEnded) return
    this.#timer = timer(seconds, () => {
      this.#isOver = true
      this.#controller.abort()
    })
  }

  /** Must be called, whatever happened: else the timer and the ear for the other signal stay. From then on nothing aborts. */
  end(): void {
    this.#isEnded = true
    clearTimeout(this.#timer)
    this.#given?.removeEventListener('abort', this.#onAbort)
  }
}
