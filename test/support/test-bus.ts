import { cpSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { Bus, type BusOptions, type Wait } from '../../src/main/bus/bus.ts'
import type { Caller } from '../../src/main/bus/caller.ts'
import { digestOf, type Key } from '../../src/main/bus/keys.ts'
import { systemRandom } from '../../src/main/bus/random.ts'
import type { ClaimRequest, PublishRequest } from '../../src/shared/requests.ts'
import { NO_LIMITS } from '../../src/shared/scope.ts'
import { temporaryFolder } from './folders.ts'
import { HandClock } from './hand-clock.ts'

export const MAIN: Key = { id: 'main', owner: 'main', isMain: true, limits: NO_LIMITS }

export function callerOf(key: Key, nonce: string | null = null): Caller {
  return { key, address: '127.0.0.1', nonce }
}

export const PUBLISH: PublishRequest = {
  goal: 'test',
  payload: '{}',
  namespace: 'default',
  visibility: 'private',
  priority: 100,
  delay: 0,
  maxAttempts: 3,
  backoffBase: 5,
  targetWorker: null,
  requiredCapability: null,
  traceparent: null
}

export const CLAIM: ClaimRequest = { goals: [], namespace: 'default', publisher: null, workerId: null, capabilities: [] }

type ClaimFields = Partial<ClaimRequest> & { readonly goal?: string | null }

interface Origin {
  /** Makes the file. */
  readonly prepare?: (path: string) => void
  /** It is what this bus would leave behind if it ended now without a word. */
  readonly crashed?: TestBus
}

/** A bus without HTTP on a database and a clock of its own, and a second connection that looks at what it wrote. */
export class TestBus implements AsyncDisposable {
  readonly clock: HandClock
  readonly path: string
  readonly #folder = temporaryFolder()
  readonly #options: BusOptions
  bus: Bus
  #view: Database.Database

  /** `origin`: where its database comes from, if it is not a new one. */
  constructor(options: Partial<BusOptions> = {}, origin: Origin = {}) {
    this.clock = new HandClock(origin.crashed?.clock.now())
    this.path = join(this.#folder.path, 'bus.db')
    origin.prepare?.(this.path)
    if (origin.crashed) for (const suffix of ['', '-wal']) cpSync(origin.crashed.path + suffix, this.path + suffix)
    this.#options = {
      path: this.path,
      clock: this.clock,
      gapSource: this.clock,
      random: systemRandom(),
      readerEntry: new URL('../../src/main/reader.ts', import.meta.url),
      claimTimeout: 60,
      cleanupInterval: 21_600,
      ...options
    }
    this.bus = this.#open()
    this.#view = new Database(this.path, { readonly: true })
  }

  #open(): Bus {
    const bus = new Bus(this.#options)
    bus.keys.setMain(digestOf('main key'))
    return bus
  }

  /** Closes the bus and opens it again, as a restart does. */
  async restart(): Promise<void> {
    this.#view.close()
    await this.bus.close()
    this.bus = this.#open()
    this.#view = new Database(this.path, { readonly: true })
  }

  publish(fields: Partial<PublishRequest> = {}, key = MAIN): Promise<string> {
    return this.bus.publish(callerOf(key), { ...PUBLISH, ...fields }, null, '{}').then(({ id }) => id)
  }

  /** `goal`: the only one that it asks for. */
  claim({ goal, ...fields }: ClaimFields = {}, key = MAIN, wait?: Wait) {
    const goals = goal == null ? [] : [goal]
    return this.bus.claim(callerOf(key), { ...CLAIM, goals, ...fields }, wait)
  }

  /** Rows of a query on the stored data. */
  rows<T>(sql: string, ...values: unknown[]): T[] {
    return this.#view.prepare(sql).all(...values) as T[]
  }

  /** The counts that the bus keeps up, and the same counted afresh. */
  tallies(): { kept: unknown[]; counted: unknown[] } {
    return {
      kept: this.rows(
        `SELECT namespace, goal, publisher, status, sum(count) AS count FROM tallies
         GROUP BY 1, 2, 3, 4 HAVING sum(count) <> 0 ORDER BY 1, 2, 3, 4`
      ),
      counted: this.rows(
        'SELECT namespace, goal, publisher, status, count(*) AS count FROM intents GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4'
      )
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#view.close()
    await this.bus.close()
    this.#folder[Symbol.dispose]()
  }
}
