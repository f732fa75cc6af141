/** What operators get to see of the storage. Times are Unix seconds, sizes bytes. */

/**
 * How the disk is that the bus writes to. `low`: little room is left. `overfull`: the database is larger than its bound, and nothing
 * more of it may be deleted. In the others it takes nothing: it is full or has less than 1 MB left, may not be written to, or fails.
 */
export type StorageState = 'fine' | 'overfull' | 'low' | 'full' | 'readonly' | 'failing'

export interface StorageStatus {
  readonly state: StorageState
  /** What is wrong and what to do, in sentences; null while all is fine. */
  readonly problem: string | null
}

/** What came of a pass of cleanup. */
export interface CleanupView {
  readonly at: number
  /** How long it took. */
  readonly seconds: number
  /** Finished intents that were deleted because their time was over. */
  readonly deleted: number
  /** Those that were deleted before their time, because the database was larger than its bound. */
  readonly trimmed: number
  /** What the file got smaller by. */
  readonly bytesGivenBack: number
}

export interface StorageView {
  readonly databasePath: string
  readonly fileBytes: number
  /** Of the log beside the file. */
  readonly walBytes: number
  /** What the database holds; this is what its bound is about. */
  readonly usedBytes: number
  /** Room in the file that is used again by what comes. */
  readonly freeBytes: number
  /** Whether the file gets smaller by itself when much of it is free; one that a first version made does not. */
  readonly canShrink: boolean
  /** null for no bound. */
  readonly maxBytes: number | null
  /** When the oldest intent was finished that is kept; null where there is none. */
  readonly oldestFinishedAt: number | null
  /** The disk that the database is on; null where it cannot be had. */
  readonly disk: { readonly freeBytes: number; readonly totalBytes: number } | null
  /** The last one since the bus started; null where there was none. */
  readonly lastCleanup: CleanupView | null
  /** From then on the next request brings one; null where cleanup is left out. */
  readonly nextCleanupAt: number | null
  readonly status: StorageStatus
}
