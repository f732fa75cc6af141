import type { CleanupView } from '../../../shared/control/storage-views.ts'
import { listed } from '../../lib/text/lists.ts'
import { counted, formatBytes } from '../../lib/text/numbers.ts'
import { fullDuration } from '../../lib/text/time.ts'

/** Bytes that are free in a file from which on it is worth a word that they stay there. */
export const MUCH_FREE = 16 * 1024 ** 2

/** How much of a whole is filled, from 0 to 1. */
export function filledShare(filled: number, whole: number): number {
  return whole === 0 ? 0 : Math.min(1, Math.max(0, filled / whole))
}

/** What a pass of cleanup did, without a dot. */
export function cleanupWords({ deleted, trimmed, bytesGivenBack, seconds }: CleanupView): string {
  const parts = [
    ...(deleted > 0 ? [`${counted(deleted, 'intent')} deleted`] : []),
    ...(trimmed > 0 ? [`${counted(trimmed, 'intent')} deleted early for the bound of the database`] : []),
    ...(bytesGivenBack > 0 ? [`${formatBytes(bytesGivenBack)} given back to the disk`] : [])
  ]
  if (parts.length === 0) return 'nothing was old enough'
  return `${listed(parts, Infinity)}${seconds >= 1 ? `, in ${fullDuration(Math.round(seconds))}` : ''}`
}
