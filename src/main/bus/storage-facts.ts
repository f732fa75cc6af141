import type { CleanupView } from '../../shared/control/storage-views.ts'
import type { Parts } from './parts.ts'

/** How the database is stored. Times are Unix seconds. */
export interface StorageFacts {
  /** Bytes of the file once all of its log is in it. */
  readonly totalBytes: number
  /** Those of them that hold nothing. */
  readonly freeBytes: number
  /** Whether the file gets smaller by itself when much of it is empty. */
  readonly canShrink: boolean
  /** The SQLITE_... code of what the disk refuses; null while it takes what is written. */
  readonly trouble: string | null
  /** Whether it is larger than it should be, and nothing more of it may be deleted. */
  readonly isOverfull: boolean
  /** The last one since the start. */
  readonly lastCleanup: CleanupView | null
  /** From when on traffic brings the next one; null for never. */
  readonly nextCleanupAt: number | null
}

/** The facts as they are now; they cost some microseconds. */
export function storageFacts({ cleanup, space, writeHealth }: Pick<Parts, 'cleanup' | 'space' | 'writeHealth'>): StorageFacts {
  return {
    totalBytes: space.total,
    freeBytes: space.free,
    canShrink: space.canShrink,
    trouble: writeHealth.trouble,
    isOverfull: cleanup.isOverfull,
    lastCleanup: cleanup.last,
    nextCleanupAt: cleanup.nextAt
  }
}
