import type { Caller } from './caller.ts'
import { NOT_YET } from './intents/claim.ts'
import type { Nonces } from './nonces.ts'
import { attempt, type Commits, type Operation } from './store/commits.ts'
import type { RideTimer } from './store/ride-timer.ts'

/** Changes on behalf of callers, and what becomes of the nonces of their requests (SPEC 5.2). */
export class Changes {
  readonly #commits: Commits
  readonly #nonces: Nonces
  readonly #rideTimer: RideTimer

  constructor(commits: Commits, nonces: Nonces, rideTimer: RideTimer) {
    this.#commits = commits
    this.#nonces = nonces
    this.#rideTimer = rideTimer
  }

  /**
   * Runs an operation for a caller; resolves and rejects as `Commits.run` does. The nonce is on disk with it, also when
   * the change is refused or comes to nothing: who could send the same request again would get a second answer. Only
   * when the disk did not take the nonce is it free again.
   */
  async run<T>(caller: Caller, operation: Operation<T>): Promise<T> {
    const { key, nonce } = caller
    if (nonce === null) return this.#commits.run(operation)
    try {
      const { value, refusal } = await this.#commits.run((now) => {
        const outcome = attempt(operation, now)
        if (outcome.value !== NOT_YET) this.#nonces.write(key.id, nonce, now)
        return outcome
      })
      if (value !== NOT_YET) caller.nonce = null
      if (refusal !== undefined) throw refusal
      return value as T
    } catch (error) {
      if (caller.nonce !== null) this.#nonces.release(key.id, nonce)
      caller.nonce = null
      throw error
    }
  }

  /** Settles the nonce of a request that changed nothing: it is written with the next transaction, or soon. */
  spendNonce(caller: Caller): void {
    if (caller.nonce === null) return
    this.#nonces.writeLater(caller.key.id, caller.nonce)
    caller.nonce = null
    if (this.#nonces.isCrowded) this.#rideTimer.now()
    else this.#rideTimer.soon()
  }
}
