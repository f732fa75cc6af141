import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/** Where a bus listens that nobody told to listen elsewhere. */
export const DEFAULT_URL = 'http://127.0.0.1:7610'

const LOOPBACK = /^(localhost|127(\.\d+){3}|\[::1\])$/

/** What a bus leaves in its data folder while it runs. */
interface Running {
  readonly pid?: number
  /** Absent while it starts. */
  readonly url?: string
  /** Absent while other machines do not reach it. */
  readonly shared?: readonly string[]
  readonly pin?: string
  readonly fingerprint?: string
}

/** How other machines reach a bus, and know it. */
export interface SharedAs {
  /** With https, one at least, the best first. */
  readonly urls: readonly string[]
  readonly pin: string
  /** Of its root certificate. */
  readonly fingerprint: string
}

/** Whether an address is one of this machine that no other machine can be behind. */
export function isLoopbackUrl(url: string): boolean {
  return LOOPBACK.test(new URL(url).hostname)
}

/** Whether others on the way can read what is sent to an address. */
export function isInClear(url: string): boolean {
  return url.startsWith('http:') && !isLoopbackUrl(url)
}

/** The bus of this user on this machine, as its data folder tells. */
export class LocalBus {
  readonly folder: string
  readonly #running: Running | undefined

  constructor(folder: string) {
    this.folder = folder
    this.#running = readRunning(join(folder, 'running.json'))
  }

  /** Where it listens; undefined while none runs. A bus that was killed leaves its last address behind. */
  get url(): string | undefined {
    return this.#running?.url
  }

  /** undefined while other machines do not reach it, and where it does not say how. */
  get shared(): SharedAs | undefined {
    const { shared: urls = [], pin, fingerprint } = this.#running ?? {}
    return urls.length === 0 || pin === undefined || fingerprint === undefined ? undefined : { urls, pin, fingerprint }
  }

  /** The files of its main key and of its operators' password; there are none where a keychain holds them. */
  get keyFile(): string {
    return join(this.folder, 'main.key')
  }

  get passwordFile(): string {
    return join(this.folder, 'dashboard.password')
  }

  /**
   * Whether a bus at this address is this one: no other may be sent its secrets. Once it has ended, anybody may listen where
   * it did.
   */
  isAt(url: string): boolean {
    return this.isRunning && plainOrigin(this.#running!.url!) === plainOrigin(url)
  }

  /** Whether it listens somewhere. */
  get isRunning(): boolean {
    return this.#running?.url !== undefined && isAlive(this.#running.pid)
  }
}

function isAlive(pid: number | undefined): boolean {
  if (pid === undefined) return false
  try {
    process.kill(pid, 0)
    return true
  } catch {
    // Also when it is another user's: then it is not this user's bus.
    return false
  }
}

/** Of the names of this machine's own addresses only this one is always the same. */
function plainOrigin(url: string): string {
  const plain = new URL(url)
  if (plain.hostname === 'localhost') plain.hostname = '127.0.0.1'
  return plain.origin
}

function readRunning(path: string): Running | undefined {
  try {
    const running = JSON.parse(readFileSync(path, 'utf8')) as Running | null
    return running?.url === undefined || URL.canParse(running.url) ? (running ?? undefined) : undefined
  } catch {
    return undefined
  }
}
