import { performance } from 'node:perf_hooks'

/** Milliseconds by which clocks of bus and client may differ in when a lease ended. */
const TOLERANCE_MS = 250

interface Holding {
  readonly worker: string
  /** By performance.now(): before that the lease cannot have ended. */
  readonly endsAt: number
}

interface Entry {
  readonly mustDie: boolean
  holding: Holding | undefined
  executions: number
  /** The result that the bus has acknowledged. */
  result: string | undefined
}

/** What the bus has acknowledged, and what it must not do after that. */
export class Ledger {
  readonly #entries = new Map<string, Entry>()
  /** Claims can be heard of before the answer to the publish. */
  readonly #early = new Map<string, Holding[]>()
  readonly violations: string[] = []
  /** Handed out again after a lease that ended: what at-least-once allows. */
  repeats = 0

  get ids(): readonly string[] {
    return [...this.#entries.keys()]
  }

  get fulfilled(): number {
    return [...this.#entries.values()].filter(({ result }) => result !== undefined).length
  }

  published(id: string, mustDie: boolean): void {
    if (this.#entries.has(id)) this.#violate(`${id} is the answer to two publishes`)
    this.#entries.set(id, { mustDie, holding: undefined, executions: 0, result: undefined })
    for (const holding of this.#early.get(id) ?? []) this.#hold(id, holding)
    this.#early.delete(id)
  }

  /** `askedAt`: by performance.now(), before the claim was sent; `seconds`: the lease's length. */
  claimed(id: string, worker: string, askedAt: number, seconds: number): void {
    const holding = { worker, endsAt: askedAt + seconds * 1000 }
    if (this.#entries.has(id)) this.#hold(id, holding)
    else this.#early.set(id, [...(this.#early.get(id) ?? []), holding])
  }

  extended(id: string, askedAt: number, seconds: number): void {
    const entry = this.#entries.get(id)
    if (entry?.holding !== undefined) entry.holding = { ...entry.holding, endsAt: askedAt + seconds * 1000 }
  }

  /** The bus has acknowledged it. `result` is JSON text; undefined for a failed attempt. */
  settled(id: string, result: string | undefined): void {
    const entry = this.#entries.get(id)
    if (entry === undefined) return
    entry.holding = undefined
    entry.result = result
  }

  /** Whoever held it does not know what became of its last request, or does not want it any more. */
  released(id: string): void {
    const entry = this.#entries.get(id)
    if (entry !== undefined) entry.holding = undefined
  }

  /** Compares with what the bus says at the end; `status` undefined where it knows nothing of it. */
  judge(id: string, status: string | undefined, result: string | null): void {
    const entry = this.#entries.get(id)!
    const expected = entry.mustDie ? 'dead' : 'fulfilled'
    if (status !== expected) this.#violate(`${id} was acknowledged and is ${status ?? 'lost'}, not ${expected}`)
    if (entry.result !== undefined && result !== entry.result) this.#violate(`${id} has the result ${result}, not ${entry.result}`)
  }

  #hold(id: string, holding: Holding): void {
    const entry = this.#entries.get(id)!
    entry.executions++
    if (entry.executions > 1) this.repeats++
    if (entry.result !== undefined) this.#violate(`${id} was handed out after it was fulfilled`)
    const before = entry.holding
    if (before !== undefined && performance.now() < before.endsAt - TOLERANCE_MS) {
      this.#violate(`${id} was handed to ${holding.worker} while ${before.worker} held it`)
    }
    entry.holding = holding
  }

  #violate(text: string): void {
    this.violations.push(text)
  }
}
