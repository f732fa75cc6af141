import type { ResourceLimits } from 'node:worker_threads'

/**
 * Megabytes of new objects that a thread of the bus lets gather before it clears them away. Left to itself, V8 takes some
 * 130 on a machine with much memory; less costs no throughput (docs/performance.md). The main thread of a bus without a
 * window has the same from package.json: `--max-semi-space-size` is a third of it.
 */
const YOUNG_MEGABYTES = 24

/** What a thread that does the bus's work is started with. */
export const THREAD_LIMITS: ResourceLimits = { maxYoungGenerationSizeMb: YOUNG_MEGABYTES }
