import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/** Where a bus listens that nobody told to listen elsewhere. */
export const DEFAULT_URL = 'http://127.0.0.1:7610'

const LOOPBACK = /^(localhost|127(\.\d+){3}|\[::1\])$/

/** What a bus leaves in its data folder while it runs. */
interface Running {
  /** Absent while it starts. */
  readonly url?: string
}

/** Whether an address is one of this machine that no other machine can be behind. */
export function isLoopbackUrl(url: string): boolean {
  return LOOPBACK.test(new URL(url).hostname)
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

  /** The files of its main key and of its operators' password; there are none where a keychain holds them. */
  get keyFile(): string {
    return join(this.folder, 'main.key')
  }

  get passwordFile(): string {
    return join(this.folder, 'dashboard.password')
  }

  /** Whether a bus at this address is this one: no other may be sent its secrets. */
  isAt(url: string): boolean {
    const own = new URL(this.url ?? DEFAULT_URL)
    const other = new URL(url)
    if (own.origin === other.origin) return true
    return isLoopbackUrl(own.href) && isLoopbackUrl(url) && own.port === other.port && own.protocol === other.protocol
  }
}

function readRunning(path: string): Running | undefined {
  try {
    const running = JSON.parse(readFileSync(path, 'utf8')) as Running | null
    return running?.url === undefined || URL.canParse(running.url) ? (running ?? undefined) : undefined
  } catch {
    return undefined
  }
}
