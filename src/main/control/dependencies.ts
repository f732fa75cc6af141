import type { Feed } from './feed.ts'
import type { StatusSource } from './status.ts'

/** What the handlers work on. */
export interface ControlDependencies extends StatusSource {
  readonly feed: Feed
  /** Says in the data directory where the bus listens now. */
  announce(): void
}
