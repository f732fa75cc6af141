import type { IntentChange } from '../../shared/control/intent-views.ts'
import type { ProtocolError } from '../../shared/errors.ts'
import type { Clock } from './clock.ts'
import type { Events } from './events.ts'

/** How long a request is held: until the signal, and at most so many seconds. */
export interface Wait {
  readonly seconds: number
  readonly signal: AbortSignal
  /** Called when there is nothing to answer yet. */
  onHeld(): void
}

interface Waiting {
  readonly id: string
  readonly keyId: string
  readonly over: PromiseWithResolvers<void>
}

/** Questions for results that wait until their intent is settled, cancelled or expired. */
export class SettledWaits {
  readonly #clock: Clock
  readonly #events: Events
  readonly #byId = new Map<string, Set<Waiting>>()
  readonly #byKey = new Map<string, Set<Waiting>>()
  #stop: (() => void) | undefined

  constructor(clock: Clock, events: Events) {
    this.#clock = clock
    this.#events = events
  }

  /** How many questions of a key wait. */
  waitsOf(keyId: string): number {
    return this.#byKey.get(keyId)?.size ?? 0
  }

  /** Resolves when the intent may be settled or gone, or the wait is over. Rejects when the key counts no more. */
  async wait(id: string, keyId: string, { seconds, signal }: Wait): Promise<void> {
    const waiting: Waiting = { id, keyId, over: Promise.withResolvers() }
    const end = (): void => waiting.over.resolve()
    add(this.#byId, id, waiting)
    add(this.#byKey, keyId, waiting)
    this.#stop ??= this.#listen()
    const cancel = this.#clock.after(seconds, end)
    signal.addEventListener('abort', end)
    if (signal.aborted) end()
    try {
      await waiting.over.promise
    } finally {
      cancel()
      signal.removeEventListener('abort', end)
      remove(this.#byId, id, waiting)
      remove(this.#byKey, keyId, waiting)
      if (this.#byId.size === 0) this.#rest()
    }
  }

  /** Refuses the waits of a key that counts no more. */
  refuse(keyId: string, error: ProtocolError): void {
    for (const { over } of this.#byKey.get(keyId) ?? []) over.reject(error)
  }

  /** Ends the waits of a key: each looks once more. */
  endOf(keyId: string): void {
    for (const { over } of this.#byKey.get(keyId) ?? []) over.resolve()
  }

  /** Ends all waits. */
  end(): void {
    for (const waitings of this.#byId.values()) for (const { over } of waitings) over.resolve()
  }

  #listen(): () => void {
    const stops = [
      this.#events.onChanges((changes) => this.#note(changes)),
      // Which ones is not told: everybody looks again.
      this.#events.onDeleted(() => this.end())
    ]
    return () => stops.forEach((stop) => stop())
  }

  #note(changes: readonly IntentChange[]): void {
    for (const { id, status } of changes) {
      if (status === 'open' || status === 'claimed') continue
      for (const { over } of this.#byId.get(id) ?? []) over.resolve()
    }
  }

  #rest(): void {
    this.#stop?.()
    this.#stop = undefined
  }
}

function add(map: Map<string, Set<Waiting>>, key: string, waiting: Waiting): void {
  const known = map.get(key)
  if (known === undefined) map.set(key, new Set([waiting]))
  else known.add(waiting)
}

function remove(map: Map<string, Set<Waiting>>, key: string, waiting: Waiting): void {
  const known = map.get(key)
  known?.delete(waiting)
  if (known?.size === 0) map.delete(key)
}
