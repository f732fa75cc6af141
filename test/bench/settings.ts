/** How much is measured. Times are seconds. */
export interface Settings {
  readonly lifecycles: {
    readonly connections: readonly number[]
    readonly warmUp: number
    readonly rounds: number
    readonly window: number
    readonly syncWindow: number
  }
  readonly claims: {
    /** Intents in front of the ones that the worker may take; the ratio is between the last and the first. */
    readonly sizes: readonly number[]
    readonly batches: number
    readonly batchSize: number
    readonly warmUpBatches: number
    /** Claimable intents behind; enough for all batches. */
    readonly behind: number
  }
  /** Intents in the database of the sections on memory and on operators. */
  readonly bigDatabase: number
  readonly memory: { readonly connections: number; readonly seconds: number }
  readonly cleanup: { readonly rows: number; readonly slices: number; readonly window: number }
  readonly backup: { readonly rounds: number; readonly window: number }
  readonly operators: { readonly rounds: number; readonly window: number }
  readonly dispatch: {
    readonly workers: number
    readonly publishes: number
    readonly perSecond: number
    /** Workers that wait while memory is measured. */
    readonly parked: number
  }
  readonly restart: { readonly intents: number; readonly rounds: number }
  readonly mainThread: { readonly connections: number; readonly seconds: number }
}

export const FULL: Settings = {
  lifecycles: { connections: [1, 8, 40, 200], warmUp: 2, rounds: 4, window: 1.5, syncWindow: 0.5 },
  claims: { sizes: [1_000, 100_000, 1_000_000], batches: 40, batchSize: 64, warmUpBatches: 4, behind: 4_000 },
  bigDatabase: 1_000_000,
  memory: { connections: 40, seconds: 3 },
  cleanup: { rows: 1_000_000, slices: 5, window: 4 },
  backup: { rounds: 6, window: 4 },
  operators: { rounds: 8, window: 3 },
  dispatch: { workers: 100, publishes: 600, perSecond: 50, parked: 1_000 },
  restart: { intents: 100_000, rounds: 5 },
  mainThread: { connections: 40, seconds: 6 }
}

/** Everything once and small: it shows that the benchmark works, its figures mean nothing. */
export const QUICK: Settings = {
  lifecycles: { connections: [1, 40], warmUp: 0.3, rounds: 1, window: 0.3, syncWindow: 0.1 },
  claims: { sizes: [1_000, 10_000], batches: 3, batchSize: 16, warmUpBatches: 1, behind: 200 },
  bigDatabase: 10_000,
  memory: { connections: 8, seconds: 0.3 },
  cleanup: { rows: 10_000, slices: 1, window: 0.3 },
  backup: { rounds: 1, window: 0.3 },
  operators: { rounds: 1, window: 0.3 },
  dispatch: { workers: 10, publishes: 10, perSecond: 50, parked: 20 },
  restart: { intents: 1_000, rounds: 1 },
  mainThread: { connections: 8, seconds: 0.5 }
}
