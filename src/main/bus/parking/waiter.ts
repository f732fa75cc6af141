import type { ClaimRequest } from '../../../shared/requests.ts'
import type { Caller } from '../caller.ts'
import { goalsAsked, scopesAsked } from '../intents/asked.ts'
import type { Claimed } from '../intents/claimed.ts'
import { bucketName, type Pattern } from './patterns.ts'

/** A claim that found nothing and waits. */
export class Waiter {
  readonly caller: Caller
  readonly request: ClaimRequest
  /** The public id of the publisher asked for, null for anybody's. */
  readonly publisherId: string | null
  /** Where intents that it may take arrive. */
  readonly buckets: readonly string[]
  /** Its place: smaller came earlier. */
  readonly place: number
  readonly #answer = Promise.withResolvers<Claimed | null>()

  constructor(caller: Caller, request: ClaimRequest, publisherId: string | null, place: number) {
    this.caller = caller
    this.request = request
    this.publisherId = publisherId
    this.place = place
    const scopes = scopesAsked(caller.key.id, publisherId)
    this.buckets = goalsAsked(request).flatMap((goal) => scopes.map((scope) => bucketName(request.namespace, scope, goal)))
  }

  /** What it got; null when nothing came. Rejects when its key counts no more. */
  get answer(): Promise<Claimed | null> {
    return this.#answer.promise
  }

  /** Whether it may take an intent of a pattern in one of its buckets (SPEC 6.4, 6.5). */
  takes({ target, capability }: Pattern): boolean {
    const { workerId, capabilities } = this.request
    return (target === null || target === workerId) && (capability === null || capabilities.includes(capability))
  }

  settle(claimed: Claimed | null): void {
    this.#answer.resolve(claimed)
  }

  refuse(error: Error): void {
    this.#answer.reject(error)
  }
}
