import { setTimeout as sleep } from 'node:timers/promises'
import { Trouble } from './trouble.ts'

export type Operation = 'publish' | 'claim' | 'fulfill'

export interface Answer {
  readonly status: number
  /** Seconds, from the Retry-After header; 1 when it has none. */
  readonly retryAfter: number
  readonly text: string
}

interface ErrorBody {
  readonly error?: { readonly code?: string; readonly message?: string }
}

const REQUEST_TIMEOUT_MS = 30_000
/** A bus that is busy gets so many more chances per request. */
const MAX_RETRIES = 5

/** The requests of a publisher and of workers, each one timed. */
export class Client {
  readonly #url: string
  readonly #key: string
  /** Milliseconds of every request that was answered, by operation; empty claims are apart. */
  readonly times: Record<Operation | 'emptyClaim', number[]> = { publish: [], claim: [], emptyClaim: [], fulfill: [] }
  /** Answers of a bus that was busy. */
  retries = 0

  constructor(url: string, key: string) {
    this.#url = url
    this.#key = key
  }

  /** Throws Trouble when no bus answers, or one that does not take the key. `goal`: one that nobody uses. */
  async check(goal: string): Promise<void> {
    let health: Response
    try {
      health = await fetch(`${this.#url}/health`, { signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS) })
    } catch {
      throw new Trouble(`No bus answers at ${this.#url}; start one with npm start, or name another with --url.`)
    }
    const isBus = health.headers.has('x-intent-version')
    await health.body?.cancel()
    if (!isBus) throw new Trouble(`What answers at ${this.#url} is not an Intent Protocol bus; name one with --url.`)
    await this.claim(goal, 'stress-check')
    this.times.emptyClaim.length = 0
  }

  /** Publishes a private intent; resolves with its id. Safe to repeat: it has an Idempotency-Key. */
  async publish(goal: string, payload: object, idempotencyKey: string): Promise<string> {
    const body = JSON.stringify({ goal, payload })
    const answer = await this.#ask('publish', '/intent', body, { 'Idempotency-Key': idempotencyKey })
    if (answer.status !== 201) throw unexpected('Publishing', answer)
    return (JSON.parse(answer.text) as { id: string }).id
  }

  /** Claims for a worker; 200 with an intent or 204 with a time to wait. */
  async claim(goal: string, worker: string): Promise<Answer> {
    const path = `/claim?goal=${encodeURIComponent(goal)}`
    const answer = await this.#ask('claim', path, undefined, { 'X-Worker-ID': worker })
    if (answer.status !== 200 && answer.status !== 204) throw unexpected('Claiming', answer)
    return answer
  }

  /** Fulfils; false when the lease was not held any more. */
  async fulfill(id: string, token: string, result: object): Promise<boolean> {
    const answer = await this.#ask('fulfill', `/fulfill/${id}`, JSON.stringify({ claim_token: token, result }), {})
    if (answer.status !== 200 && answer.status !== 404) throw unexpected('Fulfilling', answer)
    return answer.status === 200
  }

  async #ask(
    operation: Operation,
    path: string,
    body: string | undefined,
    headers: Readonly<Record<string, string>>
  ): Promise<Answer> {
    for (let attempt = 0; ; attempt++) {
      const started = performance.now()
      const answer = await this.#post(path, body, headers)
      const isBusy = answer.status === 503 && codeOf(answer) !== 'maintenance'
      if (!isBusy || attempt === MAX_RETRIES) {
        this.times[answer.status === 204 ? 'emptyClaim' : operation].push(performance.now() - started)
        return answer
      }
      this.retries++
      await sleep(answer.retryAfter * 1000)
    }
  }

  async #post(path: string, body: string | undefined, headers: Readonly<Record<string, string>>): Promise<Answer> {
    try {
      const response = await fetch(this.#url + path, {
        method: 'POST',
        headers: { 'X-API-KEY': this.#key, 'Content-Type': 'application/json', ...headers },
        signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
        ...(body !== undefined && { body })
      })
      const seconds = Number(response.headers.get('retry-after') ?? 1)
      return {
        status: response.status,
        retryAfter: Number.isFinite(seconds) && seconds >= 0 ? seconds : 1,
        text: await response.text()
      }
    } catch (error) {
      const { cause, message } = error as Error & { cause?: { code?: string } }
      throw new Trouble(`The bus at ${this.#url} stopped answering (${cause?.code ?? message}).`)
    }
  }
}

function unexpected(what: string, answer: Answer): Trouble {
  const code = codeOf(answer)
  if (answer.status === 401) {
    return new Trouble('The bus refuses this key; set INTENT_API_KEY or --key-file to its main key.')
  }
  if (code === 'rate_limited' || code === 'limit_exceeded') {
    return new Trouble('This key is limited, as generated keys are; set INTENT_API_KEY or --key-file to the main key.')
  }
  if (code === 'maintenance') return new Trouble('The bus is in maintenance mode; try again when it is back.')
  if (code === 'invalid_signature') return new Trouble('The bus wants signed requests, and this script does not sign.')
  return new Trouble(`${what} was answered with ${answer.status}: ${messageOf(answer)}`)
}

function codeOf({ text }: Answer): string | undefined {
  return errorOf(text)?.code
}

function messageOf({ text }: Answer): string {
  return errorOf(text)?.message ?? (text.slice(0, 200) || 'an empty answer')
}

function errorOf(text: string): ErrorBody['error'] {
  try {
    return (JSON.parse(text) as ErrorBody).error
  } catch {
    return undefined
  }
}
