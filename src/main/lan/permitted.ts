import { BlockList, isIP, isIPv4 } from 'node:net'

/** Networks whose addresses a bus may have on a home network: what its root permits (RFC 1918, 3927, 4193, 6598). */
export const PERMITTED_NETWORKS = [
  ['10.0.0.0', 8],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
  ['169.254.0.0', 16],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['fc00::', 7],
  ['fe80::', 10],
  ['::1', 128]
] as const satisfies readonly (readonly [network: string, prefix: number])[]

/** Domains beside the name of the machine itself, where that has a domain. */
const PERMITTED_DOMAINS = ['local', 'localhost'] as const

const MAX_NAME_LENGTH = 253
const LABEL = '[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?'
const HOST_NAME = new RegExp(`^${LABEL}(\\.${LABEL})*$`)

const networks = new BlockList()
for (const [network, prefix] of PERMITTED_NETWORKS) networks.addSubnet(network, prefix, isIPv4(network) ? 'ipv4' : 'ipv6')

/** The names of a machine that certificates can hold: what it is called, whole and without its domain. */
export function machineNames(hostname: string): readonly string[] {
  const whole = hostname.toLowerCase().replace(/\.$/, '')
  return [...new Set([whole, whole.split('.')[0]!])].filter(isHostName)
}

/**
 * The domains that a root permits whose machine has these names. A permitted domain is so with all below it, and a name without a
 * dot may be a whole domain of the internet, as `studio` is.
 */
export function permittedDomains(names: readonly string[]): readonly string[] {
  return [...new Set([...PERMITTED_DOMAINS, ...names.filter((name) => name.includes('.'))])]
}

/** Whether a name is in one of the domains, or an address in one of the networks. */
export function isPermitted(name: string, domains: readonly string[]): boolean {
  if (isIP(name) !== 0) return isPermittedAddress(name)
  return isHostName(name) && domains.some((domain) => name === domain || name.endsWith(`.${domain}`))
}

/** Whether a certificate of a bus can be for this address. */
export function isPermittedAddress(address: string): boolean {
  return networks.check(address, isIPv4(address) ? 'ipv4' : 'ipv6')
}

function isHostName(name: string): boolean {
  return name.length <= MAX_NAME_LENGTH && HOST_NAME.test(name)
}
