import { performance } from 'node:perf_hooks'

/** Milliseconds by which clocks of bus and client may differ in when a lease ended. */
const TOLERANCE_MS = 250

interface Holding {
  readonly worker: string
  /** By performance.now(): before that the lease cannot have ended. */
  readonly endsAt: number
}

interface Entry {
  /** undefined until the publish was acknowledged: others may hear of the intent first. */
  mustDie: boolean | undefined
  holding: Holding | undefined
  executions: number
  /** The result that the bus has acknowledged. */
  result: string | undefined
}

/** What the bus has acknowledged, and what it must not do after that. */
export class Ledger {
  readonly #entries = new Map<string, Entry>()
  readonly violations: string[] = []
  /** Handed out again after a lease that ended: what at-least-once allows. */
  repeats = 0

  get ids(): readonly string[] {
    return [...this.#entries].filter(([, { mustDie }]) => mustDie !== undefined).map(([id]) => id)
  }

  published(id: string, mustDie: boolean): void {
    const entry = this.#entry(id)
    if (entry.mustDie !== undefined) this.#violate(`${id} is the answer to two publishes`)
    entry.mustDie = mustDie
  }

  /** `askedAt`: by performance.now(), before the claim was sent; `seconds`: the lease's length. */
  claimed(id: string, worker: string, askedAt: number, seconds: number): void {
    this.#hold(id, { worker, endsAt: askedAt + seconds * 1000 })
  }

  extended(id: string, askedAt: number, seconds: number): void {
    const entry = this.#entry(id)
    if (entry.holding !== undefined) entry.holding = { ...entry.holding, endsAt: askedAt + seconds * 1000 }
  }

  /** The bus has acknowledged it. `result` is JSON text; undefined for a failed attempt. */
  settled(id: string, result: string | undefined): void {
    const entry = this.#entry(id)
    entry.holding = undefined
    entry.result = result
  }

  /** Whoever held it does not know what became of its last request, or does not want it any more. */
  released(id: string): void {
    this.#entry(id).holding = undefined
  }

  /** Compares with what the bus says at the end; `status` undefined where it knows nothing of it. */
  judge(id: string, status: string | undefined, result: string | null): void {
    const entry = this.#entry(id)
    const expected = entry.mustDie ? 'dead' : 'fulfilled'
    if (status !== expected) this.#violate(`${id} was acknowledged and is ${status ?? 'lost'}, not ${expected}`)
    if (entry.result !== undefined && result !== entry.result) this.#violate(`${id} has the result ${result}, not ${entry.result}`)
  }

  #hold(id: string, holding: Holding): void {
    const entry = this.#entry(id)
    entry.executions++
    if (entry.executions > 1) this.repeats++
    if (entry.result !== undefined) this.#violate(`${id} was handed out after it was fulfilled`)
    const before = entry.holding
    if (before !== undefined && performance.now() < before.endsAt - TOLERANCE_MS) {
      this.#violate(`${id} was handed to ${holding.worker} while ${before.worker} held it`)
    }
    entry.holding = holding
  }

  #entry(id: string): Entry {
    const known = this.#entries.get(id)
    if (known !== undefined) return known
    const entry: Entry = { mustDie: undefined, holding: undefined, executions: 0, result: undefined }
    this.#entries.set(id, entry)
    return entry
  }

  #violate(text: string): void {
    this.violations.push(text)
  }
}
