import type { SignatureFailureView } from '../../shared/control/network-views.ts'
import type { Feed } from './feed.ts'
import type { StatusSource } from './status.ts'

/** What the handlers work on. */
export interface ControlDependencies extends StatusSource {
  readonly feed: Feed
  /** What the bus remembers of signatures that did not count. */
  readonly signatureFailures: { list(): readonly SignatureFailureView[] }
  /** Says in the data directory where the bus listens now. */
  announce(): void
}
