import type { NetworkInterfaceInfo } from 'node:os'
import { expect, test } from 'vitest'
import { chooseInterface, listInterfaces } from '../../src/main/lan/interfaces.ts'

function ipv4(address: string, internal = false): NetworkInterfaceInfo {
  return { address, family: 'IPv4', netmask: '255.255.255.0', mac: '00:00:00:00:00:00', internal, cidr: `${address}/24` }
}

function ipv6(address: string, scopeid = 0): NetworkInterfaceInfo {
  return { address, family: 'IPv6', netmask: 'ffff:ffff:ffff:ffff::', mac: '00:00:00:00:00:00', internal: false, cidr: `${address}/64`, scopeid }
}

const LOOPBACK = { lo: [ipv4('127.0.0.1', true)] }

test('only addresses that mean the same everywhere are listed, IPv4 first', () => {
  const list = { ...LOOPBACK, eth0: [ipv6('fe80::1', 2), ipv6('fd00::7'), ipv6('2001:db8::7'), ipv4('192.168.1.7')], awdl0: [ipv6('fe80::2', 9)], gone: undefined }
  expect(listInterfaces(list, null)).toEqual([
    { name: 'eth0', addresses: ['192.168.1.7', 'fd00::7'], kind: 'lan', isDefault: false }
  ])
})

test.each([
  ['eth0', 'lan'],
  ['enp3s0', 'lan'],
  ['wlan0', 'lan'],
  ['en0', 'lan'],
  ['br0', 'lan'],
  ['Ethernet', 'lan'],
  ['Wi-Fi', 'lan'],
  ['docker0', 'virtual'],
  ['br-4f2a90c1d3e7', 'virtual'],
  ['veth12ab34c', 'virtual'],
  ['virbr0', 'virtual'],
  ['vmnet8', 'virtual'],
  ['bridge100', 'virtual'],
  ['vEthernet (WSL)', 'virtual'],
  ['VirtualBox Host-Only Network', 'virtual'],
  ['VMware Network Adapter VMnet1', 'virtual'],
  ['tun0', 'vpn'],
  ['wg0', 'vpn'],
  ['tailscale0', 'vpn'],
  ['Tailscale', 'vpn'],
  ['utun4', 'vpn'],
  ['ppp0', 'vpn'],
  ['Work VPN', 'vpn']
])('%s is of the kind %s', (name, kind) => {
  expect(listInterfaces({ [name]: [ipv4('10.0.0.1')] }, null)[0]!.kind).toBe(kind)
})

const BUSY = {
  ...LOOPBACK,
  docker0: [ipv4('172.17.0.1')],
  wg0: [ipv4('10.8.0.2')],
  eth0: [ipv4('192.168.1.7')],
  wlan0: [ipv4('192.168.1.8')]
}

test('the interface that leads out is taken first, and another only when it is asked for', () => {
  const interfaces = listInterfaces(BUSY, '192.168.1.8')
  expect(interfaces.map(({ name }) => name)).toEqual(['wlan0', 'eth0', 'wg0', 'docker0'])
  expect(interfaces.filter(({ isDefault }) => isDefault).map(({ name }) => name)).toEqual(['wlan0'])
  expect(chooseInterface(interfaces, '')?.name).toBe('wlan0')
  expect(chooseInterface(interfaces, 'docker0')?.name).toBe('docker0')
  expect(chooseInterface(interfaces, 'eth1')).toBeNull()
})

test('where all traffic goes through a VPN, the home network is taken all the same', () => {
  expect(chooseInterface(listInterfaces(BUSY, '10.8.0.2'), '')?.name).toBe('eth0')
})

test('a VPN or a virtual network is never taken unasked', () => {
  const { eth0: _eth0, wlan0: _wlan0, ...away } = BUSY
  expect(chooseInterface(listInterfaces(away, '10.8.0.2'), '')).toBeNull()
  expect(chooseInterface(listInterfaces(away, null), 'wg0')?.name).toBe('wg0')
  expect(chooseInterface(listInterfaces(LOOPBACK, null), '')).toBeNull()
})
