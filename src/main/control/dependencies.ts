import type { SignatureFailureView } from '../../shared/control/network-views.ts'
import type { Exports } from '../transfer/exports.ts'
import type { Imports } from '../transfer/imports.ts'
import type { Feed } from './feed.ts'
import type { StatusSource } from './status.ts'

/** What the handlers work on. */
export interface ControlDependencies extends StatusSource {
  readonly feed: Feed
  /** What the bus remembers of signatures that did not count. */
  readonly signatureFailures: { list(): readonly SignatureFailureView[] }
  /** What moves to other buses, and what comes from there. */
  readonly exports: Exports
  readonly imports: Imports
  /** Says in the data directory where the bus listens now. */
  announce(): void
}
