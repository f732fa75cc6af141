import type { QueryPairs } from '../signing.ts'
import { readClaimed, type ClaimedIntent } from './answers.ts'
import type { NumberStyle } from './exact-json.ts'
import { readObject } from './objects.ts'
import type { Requests } from './requests.ts'
import { knowsWaiting, waitFor, waitParameter, type Found, type Wait } from './waiting.ts'

/** What a worker claims, and as whom (SPEC 7.3). */
export interface Claimant {
  /** Any of them; none: every goal. */
  readonly goals: readonly string[]
  readonly namespace?: string | undefined
  readonly publisher?: string | undefined
  readonly workerId?: string | undefined
  readonly capabilities?: readonly string[] | undefined
}

interface Claim extends Found {
  readonly intent: ClaimedIntent | null
}

/** Claims one intent after another for the same claimant. */
export class Claims {
  readonly #requests: Requests
  readonly #numbers: NumberStyle
  readonly #claimant: Claimant
  /** Which goal comes first in the next request: a server that reads only one of them gets each in turn. */
  #first = 0

  constructor(requests: Requests, numbers: NumberStyle, claimant: Claimant) {
    this.#requests = requests
    this.#numbers = numbers
    this.#claimant = claimant
  }

  get workerId(): string | undefined {
    return this.#claimant.workerId
  }

  /** The next intent, or null when none came in time. Never repeats a request whose outcome is not known. */
  async next(wait: Wait): Promise<ClaimedIntent | null> {
    const { intent } = await waitFor(
      wait,
      (hold) => this.#round(hold, wait.signal),
      (found) => found.intent !== null
    )
    return intent
  }

  /** One request to a bus that knows several goals, else one for each of them. */
  async #round(hold: number, signal: AbortSignal | undefined): Promise<Claim> {
    for (let turn = 1; ; turn++) {
      const claim = await this.#ask(hold, signal)
      if (claim.intent !== null || knowsWaiting(claim.answer) || turn >= this.#claimant.goals.length) return claim
    }
  }

  async #ask(hold: number, signal: AbortSignal | undefined): Promise<Claim> {
    const { goals, namespace, publisher, workerId, capabilities = [] } = this.#claimant
    const query: (readonly [string, string])[] = goals.map((_, i) => ['goal', goals[(this.#first + i) % goals.length]!])
    this.#first++
    if (namespace !== undefined) query.push(['namespace', namespace])
    if (publisher !== undefined) query.push(['publisher', publisher])
    // Without it a bus reads only the first goal, as servers did before it could wait.
    if (hold > 0 || goals.length > 1) query.push(waitParameter(hold))
    const identity = identify(workerId, capabilities)
    const answer = await this.#requests.send({
      method: 'POST',
      path: '/claim',
      query: [...query, ...identity.query],
      headers: identity.headers,
      wait: hold,
      signal
    })
    if (answer.status === 204) return { intent: null, answer }
    return { intent: readClaimed(readObject(answer.text, this.#requests.baseUrl), answer.text, this.#numbers), answer }
  }
}

/** A worker's name and abilities go in headers; those that no header can carry, in the query. */
function identify(
  workerId: string | undefined,
  capabilities: readonly string[]
): { headers: Readonly<Record<string, string>>; query: QueryPairs } {
  const headers: Record<string, string> = {}
  const query: [string, string][] = []
  if (capabilities.length > 0) headers['X-Worker-Capabilities'] = capabilities.join(',')
  if (workerId === undefined) return { headers, query }
  if (/^[ -~]*$/.test(workerId)) headers['X-Worker-ID'] = workerId
  else query.push(['worker_id', workerId])
  return { headers, query }
}
