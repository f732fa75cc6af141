/**
 * State that lives in memory beside the database and goes with its transactions. What an operation makes of it counts once
 * it is committed; after a rollback it is as it was.
 */
export interface Participant {
  /** True while something waits to be written with the next transaction that writes anyway. */
  readonly isWaiting?: boolean
  /** Last in a transaction that has written: adds what rides along, with `mustWrite` all of it. */
  ride?(now: number, mustWrite: boolean): void
  /** The transaction is on disk, and what rode along with it. */
  committed?(): void
  rolledBack?(): void
}
