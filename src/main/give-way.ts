import { readlinkSync } from 'node:fs'
import { constants, getPriority, setPriority } from 'node:os'
import { basename } from 'node:path'

/** Lets whatever serves workers go before this thread when there are not cores enough for all. */
export function giveWay(priority: number = constants.priority.PRIORITY_LOW): void {
  try {
    const thread = Number(basename(readlinkSync('/proc/thread-self')))
    setPriority(thread, Math.max(getPriority(thread), priority))
  } catch {
    // Only Linux gives threads a priority of their own; elsewhere the rests between turns must do.
  }
}
