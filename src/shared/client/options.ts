import type { NumberStyle } from './exact-json.ts'
import type { TracingSource } from './open-telemetry.ts'

/** How a client finds its bus and talks to it. */
export interface ClientOptions {
  /** Where the bus is. Default: `INTENT_BUS_URL` where there is an environment, else http://127.0.0.1:7610. */
  readonly baseUrl?: string | undefined
  /** Default: `INTENT_API_KEY` where there is an environment. */
  readonly apiKey?: string | undefined
  /** Seconds that one attempt may take, beyond those that the bus was asked to wait. Default: 10. */
  readonly timeout?: number | undefined
  /** The name under which claims are made; intents may be meant for one worker (SPEC 6.4). */
  readonly workerId?: string | undefined
  /** What claims offer; intents may require it (SPEC 6.5). */
  readonly capabilities?: readonly string[] | undefined
  /** Whether requests are signed (SPEC 5.2). Default: true. */
  readonly sign?: boolean | undefined
  /** How numbers of payloads, results and values arrive. Default: `number`. */
  readonly numbers?: NumberStyle | undefined
  /** What carries requests. Default: the platform's fetch. */
  readonly fetch?: typeof fetch | undefined
  /** OpenTelemetry's API, or a function that finds it at the first span; false for no spans. Default: none. */
  readonly tracing?: TracingSource | undefined
  /** Hears what is not an error but should be known. Default: console.warn. */
  readonly onWarning?: ((message: string) => void) | undefined
}

export interface CallOptions {
  /** Ends the call; it rejects with the signal's reason. What the bus already did stays done. */
  readonly signal?: AbortSignal | undefined
}

/** SPEC 4.1. What is left out takes the protocol's default. */
export interface PublishOptions extends CallOptions {
  readonly namespace?: string | undefined
  readonly visibility?: 'private' | 'public' | undefined
  /** 0 to 1000; higher is claimed first. */
  readonly priority?: number | undefined
  /** Seconds until it may be claimed. */
  readonly delay?: number | undefined
  readonly maxAttempts?: number | undefined
  /** Seconds. */
  readonly backoffBase?: number | undefined
  readonly targetWorker?: string | undefined
  readonly requiredCapability?: string | undefined
  /** The same key and body publish once within 24 hours. Default: one of its own for each call, kept across its attempts. */
  readonly idempotencyKey?: string | undefined
}

export interface PublishAndWaitOptions extends PublishOptions {
  /** Seconds, from the call to the result; a bus that does not answer may take up the client's `timeout` besides. Default: 60. */
  readonly timeout?: number | undefined
}

/** SPEC 7.3. */
export interface ClaimOptions extends CallOptions {
  /** One goal, or several of which any will do. Default: all. */
  readonly goal?: string | readonly string[] | undefined
  readonly namespace?: string | undefined
  /** A key or its public id: only intents of that publisher. */
  readonly publisher?: string | undefined
  /** Default: the client's. */
  readonly workerId?: string | undefined
  /** Default: the client's. */
  readonly capabilities?: readonly string[] | undefined
  /** Seconds to wait for an intent where there is none. Default: 0. */
  readonly wait?: number | undefined
}

export interface ResultOptions extends CallOptions {
  /** Seconds to wait for the intent to be fulfilled or dead; then the answer is what is. Default: 0. */
  readonly wait?: number | undefined
}

export interface FulfillOptions extends CallOptions {
  /** `text` stores a string as text. Default: `json`. */
  readonly resultType?: 'json' | 'text' | undefined
}

export interface SetOptions extends CallOptions {
  /** Seconds until it is forgotten, up to 86400. Default: 600. */
  readonly ttl?: number | undefined
  /** As for publishing. */
  readonly idempotencyKey?: string | undefined
}

export interface EventsOptions extends CallOptions {
  /** Events after this one; of an earlier event's `lastEventId`. Default: those from now on. */
  readonly lastEventId?: string | undefined
}
