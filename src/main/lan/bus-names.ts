import type { AnnouncedName } from './discovery.ts'
import { machineNames } from './permitted.ts'

/** Bytes of one label of a DNS name. */
const MAX_LABEL = 63
/** Where the machine's own name is none that DNS can hold. */
const NO_NAME = 'intent-bus'

/** What a bus and its machine are called. */
export class BusNames {
  /** What users see. */
  readonly bus: string
  /** What the machine itself is called, as DNS can hold it; no certificate is for a name without a domain. */
  readonly machine: readonly string[]
  readonly #short: string

  /** `chosen`: what the user calls the bus; '' for the machine's name. */
  constructor(hostname: string, chosen: string) {
    this.machine = machineNames(hostname)
    this.#short = this.machine.at(-1) ?? NO_NAME
    this.bus = chosen || hostname.split('.')[0] || NO_NAME
  }

  /** What the machine is called by mDNS where something of the system announces it. */
  get local(): string {
    return `${this.#short}.local`
  }

  /**
   * What the bus has announced for itself: never the machine's own name, which may be announced by the system already;
   * `mark` tells it apart from others.
   */
  announced(mark = ''): string {
    const tail = mark === '' ? '-bus' : `-bus-${mark}`
    return `${this.#short.slice(0, MAX_LABEL - tail.length)}${tail}.local`
  }

  /** All that a certificate should be good for. */
  certified(addresses: readonly string[], mark: string): readonly string[] {
    const names = [...addresses, ...this.machine, this.local, this.announced(), this.announced(mark), 'localhost', '127.0.0.1', '::1']
    return [...new Set(names)]
  }
}

/** The name to announce, and another for where that is taken. `fingerprint`: of the bus's root. */
export function announcedNames(names: BusNames, fingerprint: string): readonly [AnnouncedName, AnnouncedName] {
  const mark = markOf(fingerprint)
  return [
    { name: cut(names.bus, MAX_LABEL), host: names.announced() },
    { name: `${cut(names.bus, MAX_LABEL - mark.length - 1)} ${mark}`, host: names.announced(mark) }
  ]
}

/** A few digits that tell buses of the same name apart. */
export function markOf(fingerprint: string): string {
  return fingerprint.replaceAll(':', '').slice(0, 4).toLowerCase()
}

/** As much of a text as fits into so many bytes of UTF-8. */
function cut(text: string, bytes: number): string {
  let result = text
  while (Buffer.byteLength(result) > bytes) result = [...result].slice(0, -1).join('')
  return result
}
