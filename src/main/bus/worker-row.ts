/** A row of the table `workers` (002-observing.ts), as the writer keeps it and the reading thread sees it. */
export interface WorkerRow {
  readonly ref: string
  readonly key_id: string
  readonly worker: string | null
  readonly address: string
  /** Separated by commas. */
  readonly capabilities: string
  readonly first_seen_at: number
  readonly last_seen_at: number
  /** JSON of `StoredAsk`s, newest first. */
  readonly asks: string
  readonly claimed: number
  readonly fulfilled: number
  readonly failed: number
  readonly lost: number
}

export type StoredAsk = [namespace: string, goal: string | null, publisher: string | null, lastAt: number]

/** What tells a worker from all others: its name, or its address where it says none, within its key. */
export function workerRef(keyId: string, worker: string | null, address: string): string {
  return worker === null ? `${keyId}/a/${address}` : `${keyId}/w/${worker}`
}
