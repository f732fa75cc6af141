import type { NetworkInterfaceInfo } from 'node:os'
import type { InterfaceView } from '../../shared/control/network-views.ts'
import { isLoopback } from '../net/addresses.ts'
import { isPermittedAddress } from './permitted.ts'

/** What `networkInterfaces` of node:os answers. */
export type InterfaceList = Readonly<Record<string, readonly NetworkInterfaceInfo[] | undefined>>

/** Of containers and virtual machines; names as Linux, macOS and Windows give them. */
const VIRTUAL =
  /^(docker|br-[0-9a-f]|veth|virbr|vmnet|vnet|vboxnet|lxc|lxd|incus|podman|cni|flannel|cali|kube|bridge1\d\d|vEthernet|VirtualBox|VMware)/i
/** Of tunnels to other networks. */
const VPN = /^(tun|tap|wg|ppp|utun|ipsec|tailscale|zt|nordlynx|proton|mullvad|wireguard|openvpn|nebula)|VPN/i

const RANK = { lan: 0, vpn: 1, virtual: 2 } as const

/**
 * The interfaces by which other machines may come, those first that are most likely meant. `wayOut`: the address from
 * which this machine reaches the rest of the world, null where it does not.
 */
export function listInterfaces(list: InterfaceList, wayOut: string | null): readonly InterfaceView[] {
  return Object.entries(list)
    .map(([name, infos = []]): InterfaceView => {
      const addresses = addressesOf(infos)
      return { name, addresses, kind: kindOf(name), isDefault: wayOut !== null && addresses.includes(wayOut) }
    })
    .filter(({ addresses }) => addresses.length > 0)
    .sort((a, b) => RANK[a.kind] - RANK[b.kind] || Number(b.isDefault) - Number(a.isDefault))
}

/**
 * The interface to share on: the one that is asked for, or for '' of the home networks the one that leads out, or else the
 * first. A tunnel or a virtual network is never taken unasked: whoever is behind it is not at home. null where there is none.
 * `interfaces`: as `listInterfaces` orders them.
 */
export function chooseInterface(interfaces: readonly InterfaceView[], wanted: string): InterfaceView | null {
  if (wanted !== '') return interfaces.find(({ name }) => name === wanted) ?? null
  const [first] = interfaces
  return first?.kind === 'lan' ? first : null
}

/**
 * Addresses of private networks that mean the same on every machine there: none of IPv6 that need a zone, and none that the
 * whole internet may reach. IPv4 first.
 */
function addressesOf(infos: readonly NetworkInterfaceInfo[]): readonly string[] {
  const usable = infos.filter(
    ({ address, internal }) => !internal && !isLoopback(address) && !isLinkLocal6(address) && isPermittedAddress(address)
  )
  const of = (wanted: string): string[] => usable.filter(({ family }) => family === wanted).map(({ address }) => address)
  return [...of('IPv4'), ...of('IPv6')]
}

function isLinkLocal6(address: string): boolean {
  return /^fe[89ab]/i.test(address)
}

function kindOf(name: string): InterfaceView['kind'] {
  if (VIRTUAL.test(name)) return 'virtual'
  return VPN.test(name) ? 'vpn' : 'lan'
}
