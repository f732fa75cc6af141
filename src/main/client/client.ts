import { IntentClient as WebClient, type ClientOptions as WebOptions } from '../../shared/client/index.ts'
import { readKeyFile } from './key-file.ts'
import { findOpenTelemetry } from './open-telemetry.ts'
import { tlsFetch, type TlsOptions } from './tls-fetch.ts'

/** What a program with a file system may say besides. */
export interface ClientOptions extends WebOptions {
  /** Default: `INTENT_API_KEY`, then what is in `keyFile`. */
  readonly apiKey?: string | undefined
  /** A file that holds the key and nothing else. Given, it comes before the environment. Default: `~/.apikey`. */
  readonly keyFile?: string | undefined
  /** Whom to trust, where the bus's certificate is not one that the system trusts. Not together with `fetch`. */
  readonly tls?: TlsOptions | undefined
}

/** A client of one bus for Node, Deno and Bun: it finds its key in a file, pins certificates, and traces where it can. */
export class IntentClient extends WebClient {
  /** Throws as the client for browsers does, and TypeError for options that contradict each other. */
  constructor(options: ClientOptions = {}) {
    const { tls, tracing = findOpenTelemetry } = options
    super({ ...options, tracing, apiKey: findApiKey(options), ...(tls === undefined ? {} : { fetch: fetchWith(tls, options) }) })
    if (tls !== undefined && !this.baseUrl.startsWith('https:')) {
      throw new TypeError(`tls needs an address with https, which ${this.baseUrl} is not.`)
    }
  }
}

function fetchWith(tls: TlsOptions, { fetch }: ClientOptions): typeof globalThis.fetch {
  if (fetch !== undefined) throw new TypeError('tls and fetch do not go together: both say what carries requests.')
  return tlsFetch(tls)
}

/** Undefined when there is none anywhere; then the client says so. */
function findApiKey({ apiKey, keyFile, onWarning = console.warn }: ClientOptions): string | undefined {
  if (apiKey !== undefined) return apiKey
  if (keyFile !== undefined) return readKeyFile(keyFile, onWarning)
  return process.env.INTENT_API_KEY || readKeyFile(undefined, onWarning)
}
