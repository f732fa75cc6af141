import { memberText } from '../json-text.ts'
import { EXTENSION, TTL } from '../limits.ts'
import * as answers from './answers.ts'
import type { ClaimedIntent, IntentResult, IntentStatus, PublishedIntent } from './answers.ts'
import { Claims, type Claimant } from './claims.ts'
import { IntentBusError, IntentFailedError, WaitTimeoutError } from './errors.ts'
import { followEvents, type IntentEvent } from './events.ts'
import { readJson, writeJson, type NumberStyle } from './exact-json.ts'
import type { Handler } from './handler.ts'
import { pathTo } from './names.ts'
import { readObject, type Fields } from './objects.ts'
import type * as options from './options.ts'
import { monotonic } from './patience.ts'
import { randomHex } from './random.ts'
import { Requests, type Answer, type Ask } from './requests.ts'
import { isPassing } from './retry.ts'
import { findApiKey, findBaseUrl } from './settings.ts'
import { Signer } from './signer.ts'
import { Tracing } from './tracing.ts'
import { waitFor, waitParameter } from './waiting.ts'
import { Worker, type WorkerOptions } from './worker.ts'

/** Seconds. */
const DEFAULT_TIMEOUT = 10
const DEFAULT_RESULT_TIMEOUT = 60
/** Seconds between requests where a server cannot hold them. */
const POLL_INTERVAL = 2

/** Options of `listen`: a worker's, for one goal. */
export type ListenOptions = Omit<WorkerOptions, 'goals' | 'goal' | 'handler'>

/**
 * A client of one bus (SPEC 7). Requests are signed and carry a key. Publishing, reading and the key-value store are tried
 * again when the network or the bus is in trouble; what changes a lease is not, since only the caller knows whether its
 * lease still runs. Every method rejects with an IntentBusError, or with the reason of the signal that it was given.
 */
export class IntentClient {
  readonly #requests: Requests
  readonly #tracing: Tracing
  readonly #numbers: NumberStyle
  readonly #workerId: string | undefined
  readonly #capabilities: readonly string[] | undefined

  /** Throws IntentBusAuthError without a usable key, and IntentBusError where the platform cannot sign. */
  constructor(given: options.ClientOptions = {}) {
    const baseUrl = findBaseUrl(given)
    const apiKey = findApiKey(given)
    this.#requests = new Requests({
      baseUrl,
      apiKey,
      signer: given.sign === false ? undefined : new Signer(apiKey),
      timeout: given.timeout ?? DEFAULT_TIMEOUT,
      // Looked up at each request, as other code on the page may replace it; browsers insist on its being a plain call.
      fetch: given.fetch ?? ((input, init) => fetch(input, init))
    })
    this.#tracing = new Tracing(given.tracing ?? false, baseUrl)
    this.#numbers = given.numbers ?? 'number'
    this.#workerId = given.workerId
    this.#capabilities = given.capabilities
  }

  /** Where the bus is, without a slash at the end. */
  get baseUrl(): string {
    return this.#requests.baseUrl
  }

  /** Publishes an intent (SPEC 7.2), once even when it is sent more than once. `payload` is any JSON value. */
  publish(goal: string, payload: unknown, given: options.PublishOptions = {}): Promise<PublishedIntent> {
    const { namespace = 'default', idempotencyKey = randomHex(16), signal } = given
    return this.#tracing.span({ kind: 'publish', goal, namespace }, async ({ traceparent, noteIntent }) => {
      const answer = await this.#requests.send({
        method: 'POST',
        path: '/intent',
        body: writeJson(publishBody(goal, payload, given)),
        headers: { 'Idempotency-Key': idempotencyKey, ...(traceparent === undefined ? {} : { traceparent }) },
        mayRepeat: true,
        signal
      })
      const published = answers.readPublished(this.#fields(answer))
      noteIntent(published.id)
      return published
    })
  }

  /**
   * Publishes and waits for the result, also through trouble that may pass. Rejects with IntentFailedError when the intent is
   * dead, and with WaitTimeoutError when it is not known to be done or dead in time. Errors behind the publish have `intentId`.
   */
  async publishAndWait(goal: string, payload: unknown, given: options.PublishAndWaitOptions = {}): Promise<IntentResult> {
    const { timeout = DEFAULT_RESULT_TIMEOUT, signal } = given
    const end = monotonic() + timeout
    const { id } = await this.publish(goal, payload, given)
    const result = await this.getResult(id, { wait: Math.max(0, end - monotonic()), signal }).catch((error: unknown) => {
      if (signal?.aborted || !(error instanceof IntentBusError)) throw error
      error.intentId = id
      throw isPassing(error) ? new WaitTimeoutError(id, timeout, undefined, error) : error
    })
    if (result.status === 'fulfilled') return result
    if (result.status === 'dead') throw new IntentFailedError(id, result.error)
    throw new WaitTimeoutError(id, timeout, result.status)
  }

  /** Takes the lease of the best intent there is, or null where there is none (SPEC 7.3). Never sent twice by itself. */
  claim(given: options.ClaimOptions = {}): Promise<ClaimedIntent | null> {
    const { wait = 0, signal } = given
    const goals = typeof given.goal === 'string' ? [given.goal] : (given.goal ?? [])
    return this.#claims({ ...given, goals }).next({ seconds: wait, pollInterval: POLL_INTERVAL, signal })
  }

  /** Sets the end of a lease to `seconds` (10 to 3600) from now (SPEC 7.4). Rejects with LeaseLostError. */
  async extendClaim(
    id: string,
    claimToken: string,
    seconds: number = EXTENSION.default,
    given: options.CallOptions = {}
  ): Promise<void> {
    await this.#onLease('/extend_claim/', id, { claim_token: claimToken, seconds }, given)
  }

  /** Settles an intent as done, with any JSON value as its result (SPEC 7.5). Rejects with LeaseLostError. */
  async fulfill(id: string, claimToken: string, result?: unknown, given: options.FulfillOptions = {}): Promise<void> {
    await this.#onLease('/fulfill/', id, { claim_token: claimToken, result, result_type: given.resultType }, given)
  }

  /** Gives an intent back as failed: the bus tries again later, or buries it (SPEC 7.6). Rejects with LeaseLostError. */
  async fail(id: string, claimToken: string, error?: string, given: options.CallOptions = {}): Promise<void> {
    await this.#onLease('/fail/', id, { claim_token: claimToken, error }, given)
  }

  /**
   * What became of an intent (SPEC 7.7), for its publisher and its worker. With `wait` it may take that long to answer, and
   * trouble that may pass is an error only when it has not passed by then.
   */
  async getResult(id: string, { wait = 0, signal }: options.ResultOptions = {}): Promise<IntentResult> {
    const path = pathTo('/result/', id)
    const { result } = await waitFor(
      { seconds: wait, pollInterval: POLL_INTERVAL, bearsTrouble: wait > 0, signal },
      async (hold) => {
        const query = hold > 0 ? [waitParameter(hold)] : []
        // Who waits asks again until the time is over, and then no more.
        const answer = await this.#requests.send({ method: 'GET', path, query, mayRepeat: wait <= 0, wait: hold, signal })
        return { answer, result: answers.readResult(this.#fields(answer), answer.text, this.#numbers) }
      },
      (found) => answers.isSettled(found.result)
    )
    return result
  }

  /** How an intent is doing (SPEC 7.8), without its result. */
  async getStatus(id: string, { signal }: options.CallOptions = {}): Promise<IntentStatus> {
    return answers.readStatus(this.#fields(await this.#read({ path: pathTo('/status/', id), signal })))
  }

  /** Keeps a JSON value for a while, for all clients with this key (SPEC 7.9). */
  async set(key: string, value: unknown, given: options.SetOptions = {}): Promise<void> {
    const { ttl = TTL.default, idempotencyKey = randomHex(16), signal } = given
    await this.#requests.send({
      method: 'POST',
      path: pathTo('/set/', key),
      body: writeJson({ value, ttl }),
      headers: { 'Idempotency-Key': idempotencyKey },
      mayRepeat: true,
      signal
    })
  }

  /** A value that was kept; null where there is none, or no more (SPEC 7.9). `find` tells that from a null that was kept. */
  async get(key: string, given: options.CallOptions = {}): Promise<unknown> {
    return (await this.find(key, given))?.value ?? null
  }

  /** What is kept under a key, which may be null; undefined where there is nothing, or no more (SPEC 7.9). */
  async find(key: string, { signal }: options.CallOptions = {}): Promise<{ readonly value: unknown } | undefined> {
    try {
      const { text } = await this.#read({ path: pathTo('/get/', key), signal })
      return { value: readJson(memberText(text, 'value') ?? 'null', this.#numbers) }
    } catch (error) {
      if (error instanceof IntentBusError && error.status === 404 && error.code === 'not_found') return undefined
      throw error
    }
  }

  /**
   * Works on the intents of one goal until `signal` is aborted: `false` from the handler fails the intent, anything else is
   * its result. Rejects when the bus refuses to let this client work at all.
   */
  listen(goal: string, handler: Handler, given: ListenOptions = {}): Promise<void> {
    const failing: Handler = async (payload, context) => {
      const result = await handler(payload, context)
      if (result === false) throw new Error('The handler returned false.')
      return result
    }
    return this.worker({ ...given, goal, handler: failing }).run()
  }

  /** A worker that claims with this client; it does nothing until it is run. */
  worker(given: WorkerOptions): Worker {
    return new Worker(this, this.#tracing, (claimant) => this.#claims(claimant), given)
  }

  /** What happens to intents that this key published or claimed. Goes on by itself when the connection breaks. */
  events(given: options.EventsOptions = {}): AsyncIterable<IntentEvent> {
    return followEvents(this.#requests, given)
  }

  #claims({ goals, namespace, publisher, workerId, capabilities }: Claimant): Claims {
    return new Claims(this.#requests, this.#numbers, {
      goals,
      namespace,
      publisher,
      workerId: workerId ?? this.#workerId,
      capabilities: capabilities ?? this.#capabilities
    })
  }

  #onLease(prefix: string, id: string, body: Fields, { signal }: options.CallOptions): Promise<Answer> {
    return this.#requests.send({ method: 'POST', path: pathTo(prefix, id), body: writeJson(body), isOfLease: true, signal })
  }

  #read(ask: Pick<Ask, 'path' | 'signal'>): Promise<Answer> {
    return this.#requests.send({ ...ask, method: 'GET', mayRepeat: true })
  }

  #fields({ text }: Answer): Fields {
    return readObject(text, this.#requests.baseUrl)
  }
}

/** SPEC 7.2; members that are undefined are left out. */
function publishBody(goal: string, payload: unknown, given: options.PublishOptions): Fields {
  return {
    goal,
    payload,
    namespace: given.namespace,
    visibility: given.visibility,
    priority: given.priority,
    delay: given.delay,
    max_attempts: given.maxAttempts,
    backoff_base: given.backoffBase,
    target_worker: given.targetWorker,
    required_capability: given.requiredCapability
  }
}
