import { readFileSync } from 'node:fs'
import { IntentClient as WebClient, type ClientOptions as WebOptions } from '../../shared/client/index.ts'
import { findBaseUrl } from '../../shared/client/settings.ts'
import { readKeyFile } from './key-file.ts'
import { findOpenTelemetry } from './open-telemetry.ts'
import { findPairedBus, knownAddresses } from './paired-buses.ts'
import { Roaming } from './roaming.ts'
import { tlsFetch, type TlsOptions } from './tls-fetch.ts'

/** What a program with a file system may say besides. */
export interface ClientOptions extends WebOptions {
  /** A bus that `intent-bus pair` has paired this machine with, by its name there: its address, its key and its pin. */
  readonly bus?: string | undefined
  /** Default: `INTENT_API_KEY`, then what is in `keyFile`. */
  readonly apiKey?: string | undefined
  /** A file that holds the key and nothing else. Given, it comes before the environment. Default: `~/.apikey`. */
  readonly keyFile?: string | undefined
  /**
   * Whom to trust, where the bus's certificate is not one that the system trusts. Not together with `fetch`. Default, for
   * addresses with https: `INTENT_BUS_PIN`, and the certificates in the file that `INTENT_BUS_CA` names.
   */
  readonly tls?: TlsOptions | undefined
}

/** A client of one bus for Node, Deno and Bun: it finds its key in a file, pins certificates, and traces where it can. */
export class IntentClient extends WebClient {
  /** Throws as the client for browsers does, and TypeError for options that contradict each other. */
  constructor(given: ClientOptions = {}) {
    const options = given.bus === undefined ? given : ofPairedBus(given, given.bus)
    const { tracing = findOpenTelemetry } = options
    const tls = options.tls ?? tlsOfEnvironment(options)
    super({ ...options, tracing, apiKey: findApiKey(options), ...(tls === undefined ? {} : { fetch: fetchWith(tls, options) }) })
    if (tls !== undefined && !this.baseUrl.startsWith('https:')) {
      throw new TypeError(`tls needs an address with https, which ${this.baseUrl} is not.`)
    }
  }
}

/** Its key goes to this bus only, which its pin tells from all others, and which is followed to other addresses that it is known by. */
function ofPairedBus(given: ClientOptions, name: string): ClientOptions {
  const contradiction = (['baseUrl', 'apiKey', 'keyFile', 'tls', 'fetch'] as const).find((option) => given[option] !== undefined)
  if (contradiction !== undefined) throw new TypeError(`bus and ${contradiction} do not go together: a paired bus brings its own.`)
  const { url, key, pin } = findPairedBus(name)
  async function* candidates() {
    yield knownAddresses(name, pin)
  }
  return { ...given, baseUrl: url, apiKey: key, fetch: new Roaming({ url, pin, candidates }).fetch }
}

function tlsOfEnvironment(options: ClientOptions): TlsOptions | undefined {
  const { INTENT_BUS_PIN: pin, INTENT_BUS_CA: caFile } = process.env
  if (options.fetch !== undefined || !(pin || caFile) || !findBaseUrl(options).startsWith('https:')) return undefined
  return { ...(pin && { pin }), ...(caFile && { ca: readFileSync(caFile, 'utf8') }) }
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
