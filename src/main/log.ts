import { write, writeSync } from 'node:fs'
import { pino } from 'pino'
import { LogFile, type LogTarget } from './log-file.ts'

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]

export type Log = ReturnType<typeof createLog>

/** JSON lines on standard error, or in a file. What is logged never holds a key, a token or a password. */
export function createLog(level: LogLevel, file?: string) {
  const destination = file === undefined ? standardError : new LogDestination(new LogFile(file))
  destinations.add(destination)
  return pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime }, destination)
}

/** Characters of log that may wait for a slow reader; beyond, lines are dropped rather than requests held up. */
const MAX_WAITING = 1_048_576
/** Milliseconds before a reader that takes nothing right now is tried again. */
const RETRY_MS = 50

/**
 * Where the log goes. It must never stop the bus: a full disk loses lines, and a reader that stands still holds up
 * nothing, not even the end of the process. (pino's own destination does one or the other.)
 */
class LogDestination {
  readonly #target: LogTarget
  #waiting: string[] = []
  #length = 0
  #isWriting = false

  constructor(target: LogTarget) {
    this.#target = target
    process.on('exit', () => this.#writeRest())
  }

  write(line: string): void {
    if (this.#length + line.length > MAX_WAITING) return
    this.#waiting.push(line)
    this.#length += line.length
    if (!this.#isWriting) this.#writeNext()
  }

  /** Resolves when all is written, or after `patience` milliseconds. */
  async flush(patience: number): Promise<void> {
    const until = performance.now() + patience
    while (this.#isWriting && performance.now() < until) await new Promise((resolve) => setTimeout(resolve, 2))
  }

  #take(): Buffer {
    const text = Buffer.from(this.#waiting.join(''))
    this.#waiting = []
    this.#length = 0
    return text
  }

  #writeNext(): void {
    if (this.#waiting.length === 0) return
    this.#isWriting = true
    this.#writeAll(this.#target.fd(), this.#take(), 0)
  }

  #writeAll(fd: number, text: Buffer, from: number): void {
    write(fd, text, from, (error, written) => {
      if (error?.code === 'EAGAIN') {
        setTimeout(() => this.#writeAll(fd, text, from), RETRY_MS).unref()
        return
      }
      const next = from + written
      this.#target.wrote(written)
      if (error === null && next < text.length) {
        this.#writeAll(fd, text, next)
        return
      }
      this.#isWriting = false
      this.#writeNext()
    })
  }

  /** At the end of the process, unless the reader stands still: waiting for it would keep the process from ending. */
  #writeRest(): void {
    if (this.#isWriting || this.#waiting.length === 0) return
    try {
      writeSync(this.#target.fd(), this.#take())
    } catch {
      // There is nowhere left to say it.
    }
  }
}

const standardError = new LogDestination({ fd: () => 2, wrote: () => {} })
const destinations = new Set([standardError])

/** Waits until all logs are written, at most `patience` milliseconds: for the end of the process. */
export async function flushLog(patience: number): Promise<void> {
  await Promise.all([...destinations].map((destination) => destination.flush(patience)))
}
