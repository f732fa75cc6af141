import { BlockList, isIP, isIPv4, isIPv6 } from 'node:net'
import { networkInterfaces } from 'node:os'

/** The networks of this machine change while it runs; they are read again at most this often (milliseconds). */
const REREAD_AFTER_MS = 2_000

/** An IPv4 address that came through an IPv6 socket is written as IPv4. */
export function plainAddress(address: string): string {
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address
}

/** The address in an entry of X-Forwarded-For, which may be in brackets or have a port; undefined for anything else. */
export function forwardedAddress(entry: string): string | undefined {
  const [, bracketed, withPort] = /^(?:\[([^\]]*)\](?::\d{1,5})?|([\d.]+):\d{1,5})$/.exec(entry) ?? []
  const address = plainAddress(bracketed ?? withPort ?? entry)
  return isIP(address) === 0 || address.includes('%') ? undefined : address
}

/** Addresses only: `127.example.com` is a name that anybody may own. */
export function isLoopback(address: string): boolean {
  return address === '::1' || (isIPv4(address) && address.startsWith('127.'))
}

/** An IPv4 address, or the /64 network of an IPv6 address: what one customer of a provider has at least. */
export function clientNetwork(address: string): string {
  if (!isIPv6(address)) return address
  const [head = '', tail] = address.split('%')[0]!.split('::')
  const front = head === '' ? [] : head.split(':')
  const back = tail === undefined || tail === '' ? [] : tail.split(':')
  const zeros = tail === undefined ? 0 : 8 - front.length - back.length
  const groups = [...front, ...Array<string>(Math.max(0, zeros)).fill('0'), ...back]
  return `${groups
    .slice(0, 4)
    .map((group) => parseInt(group, 16).toString(16))
    .join(':')}::/64`
}

/**
 * What counts as one client: an address, but of IPv6 networks that this machine is not in the whole /64. All machines of a
 * home share one of these, and none of them may use up what the others have.
 */
export function clientOf(address: string): string {
  return isIPv6(address) && !isNeighbour(address) ? clientNetwork(address) : address
}

let neighbours = new BlockList()
let readAt = -Infinity

function isNeighbour(address: string): boolean {
  if (performance.now() - readAt >= REREAD_AFTER_MS) {
    readAt = performance.now()
    neighbours = new BlockList()
    for (const { cidr, family } of Object.values(networkInterfaces()).flatMap((list) => list ?? [])) {
      const [network, bits] = cidr?.split('/') ?? []
      if (family === 'IPv6' && bits !== undefined) neighbours.addSubnet(network!, Number(bits), 'ipv6')
    }
  }
  return neighbours.check(address.split('%')[0]!, 'ipv6')
}
