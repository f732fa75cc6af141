import { createSocket, type Socket } from 'node:dgram'
import { isIPv6 } from 'node:net'
import { networkInterfaces } from 'node:os'
import { setTimeout as pause } from 'node:timers/promises'
import { decodeAnswer, encodeQuery, nameKey, type DnsRecord, type Name, type Question, type RecordType } from './dns.ts'

/** Where multicast DNS is spoken (RFC 6762). */
const GROUP = '224.0.0.251'
const PORT = 5353
/** By which name buses announce themselves. */
const SERVICE: Name = ['_intent-bus', '_tcp', 'local']
/** Milliseconds from one question to the next: an answer or a question may get lost. */
const ASK_AGAIN_MS = 1_000
/** Records that are kept: more of them no home has. */
const MAX_RECORDS = 4_096
/** Questions that are asked at a time, so that they fit into one message. */
const MAX_QUESTIONS = 30

/** A bus that has announced itself. */
export interface FoundBus {
  readonly name: string
  /** Addresses with https, one at least, the best first: IPv4, then IPv6, then the host's name. */
  readonly urls: readonly string[]
}

/** Asks all networks of this machine which buses there are, for so many seconds. Rejects where it cannot, and on `signal`. */
export async function findBuses(seconds: number, signal: AbortSignal): Promise<readonly FoundBus[]> {
  const records = new Records()
  const sockets = await openSockets((message) => records.add(message))
  try {
    const end = performance.now() + seconds * 1000
    for (;;) {
      const left = end - performance.now()
      if (left <= 0) return records.buses()
      const query = encodeQuery([{ name: SERVICE, type: 'PTR' }, ...records.missing().slice(0, MAX_QUESTIONS)])
      // A network that cannot be asked may come or go; there are others.
      for (const socket of sockets) socket.send(query, PORT, GROUP, () => {})
      await pause(Math.min(left, ASK_AGAIN_MS), undefined, { signal })
    }
  } finally {
    for (const socket of sockets) socket.close()
  }
}

/** One for each network: the system sends what is for all to one network only. */
async function openSockets(hear: (message: Buffer) => void): Promise<Socket[]> {
  const addresses = Object.values(networkInterfaces()).flatMap((list = []) => {
    return list.find(({ family, internal }) => family === 'IPv4' && !internal)?.address ?? []
  })
  const attempts = await Promise.allSettled(addresses.map((address) => open(address, hear)))
  const sockets = attempts.flatMap((attempt) => (attempt.status === 'fulfilled' ? [attempt.value] : []))
  const failed = attempts.find((attempt) => attempt.status === 'rejected')
  if (sockets.length === 0 && failed !== undefined) throw failed.reason
  return sockets
}

/** Listens where all others do, as firewalls expect it. */
function open(address: string, hear: (message: Buffer) => void): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = createSocket({ type: 'udp4', reuseAddr: true })
    const fail = (error: Error): void => {
      socket.close()
      reject(error)
    }
    socket.once('error', fail)
    socket.bind(PORT, () => {
      try {
        socket.addMembership(GROUP, address)
        socket.setMulticastInterface(address)
        socket.setMulticastTTL(255)
      } catch (error) {
        fail(error as Error)
        return
      }
      socket.off('error', fail)
      socket.on('error', () => {})
      socket.on('message', hear)
      resolve(socket)
    })
  })
}

/** What was heard so far, by anybody. */
export class Records {
  /** By their name and type, and there by what they say. */
  readonly #byName = new Map<string, Map<string, DnsRecord>>()
  #count = 0

  add(message: Buffer): void {
    let heard: readonly DnsRecord[]
    try {
      heard = decodeAnswer(message)
    } catch {
      // Anybody may say anything there.
      return
    }
    for (const record of heard) {
      if (record.ttl === 0) this.#forget(record)
      else if (this.#count < MAX_RECORDS) this.#keep(record)
    }
  }

  #keep(record: DnsRecord): void {
    const key = placeOf(record.type, record.name)
    const there = this.#byName.get(key) ?? new Map<string, DnsRecord>()
    this.#byName.set(key, there)
    this.#count -= there.size
    there.set(contentOf(record), record)
    this.#count += there.size
  }

  #forget(record: DnsRecord): void {
    const key = placeOf(record.type, record.name)
    const there = this.#byName.get(key)
    if (there?.delete(contentOf(record)) !== true) return
    this.#count--
    if (there.size === 0) this.#byName.delete(key)
  }

  /** Questions for what is not known yet of those that announced themselves. */
  missing(): Question[] {
    return this.#services().flatMap((service): Question[] => {
      const place = this.#place(service)
      if (place === undefined) return [{ name: service, type: 'SRV' }]
      if (this.#addresses(place.target).length > 0) return []
      return [
        { name: place.target, type: 'A' },
        { name: place.target, type: 'AAAA' }
      ]
    })
  }

  buses(): FoundBus[] {
    return this.#services().flatMap((service) => {
      const place = this.#place(service)
      if (place === undefined) return []
      const hosts = [...this.#addresses(place.target), place.target.join('.')]
      const urls = hosts.map((host) => `https://${isIPv6(host) ? `[${host}]` : host}:${place.port}`)
      const good = urls.filter((url) => URL.canParse(url)).map((url) => new URL(url).origin)
      return good.length === 0 ? [] : [{ name: service[0]!, urls: good }]
    })
  }

  /** One of the service's own name stands for nobody. */
  #services(): Name[] {
    return this.#of('PTR', SERVICE).flatMap(({ target }) => (target.length === SERVICE.length + 1 ? [target] : []))
  }

  #place(service: Name): Found<'SRV'> | undefined {
    return this.#of('SRV', service)[0]
  }

  /** Of link-local ones of IPv6 a URL cannot say on which network they are. */
  #addresses(host: Name): string[] {
    const six = this.#of('AAAA', host).filter(({ address }) => !/^fe[89ab]/.test(address))
    return [...this.#of('A', host), ...six].map(({ address }) => address)
  }

  #of<T extends RecordType>(type: T, name: Name): Found<T>[] {
    return [...(this.#byName.get(placeOf(type, name))?.values() ?? [])] as Found<T>[]
  }
}

type Found<T extends RecordType> = Extract<DnsRecord, { readonly type: T }>

function placeOf(type: RecordType, name: Name): string {
  return type + nameKey(name)
}

function contentOf({ ttl: _, name: __, ...content }: DnsRecord): string {
  return JSON.stringify(content)
}
