import { setTimeout as pause } from 'node:timers/promises'
import { ControlError } from '../../../shared/control/transport.ts'
import { errorStatus } from '../../../shared/errors.ts'
import type { EventFrame } from '../../../shared/control/event-frame.ts'
import { reasonOf, type Operator } from './operator.ts'

/** Milliseconds between two attempts to hear events again: doubled each time, up to the second. */
const RETRY_MS = { first: 500, last: 15_000 } as const

/** Refusals that no waiting changes. */
const FINAL = ['unauthorized', 'forbidden', 'not_found']

/** Whether a bus that was asked in vain may answer in a while: it could not be reached, broke off, or is in trouble. */
export function isPassing(error: unknown): boolean {
  if (!(error instanceof ControlError)) return false
  return error.code === 'unreachable' || error.code === 'unexpected_answer' || errorStatus(error.code) >= 500
}

/**
 * What happens on a bus, until the signal; after a connection that broke it is made again, and the first frame then says
 * that some may be missing. Rejects when even the first one cannot be made, or when the bus refuses.
 * `onTrouble` hears sentences.
 */
export async function* followFrames(
  operator: Operator,
  signal: AbortSignal,
  onTrouble: (sentence: string) => void
): AsyncGenerator<EventFrame> {
  let wasConnected = false
  let delay: number = RETRY_MS.first
  while (!signal.aborted) {
    try {
      let isFirst = true
      for await (const frame of operator.frames()) {
        if (isFirst && wasConnected) onTrouble('The bus is back.')
        yield isFirst && wasConnected ? { ...frame, missed: frame.missed + 1 } : frame
        isFirst = false
        wasConnected = true
        delay = RETRY_MS.first
      }
      onTrouble('The bus ended the connection; trying again.')
    } catch (error) {
      if (signal.aborted) return
      if (!wasConnected || (error instanceof ControlError && FINAL.includes(error.code))) throw error
      if (delay === RETRY_MS.first) onTrouble(`The bus cannot be reached (${reasonOf(error)}); trying again.`)
    }
    await pause(delay, undefined, { signal }).catch(() => {})
    delay = Math.min(delay * 2, RETRY_MS.last)
  }
}
