import { expect, test } from 'vitest'
import { HANDSHAKES, HandshakeLimit } from '../../src/main/net/handshake-limit.ts'

const MANY = 2_000
const { client, network } = HANDSHAKES

/** How many of so many handshakes that come at a moment (milliseconds) may begin. */
function admitted(limit: HandshakeLimit, remoteAddress: string, now: number, localAddress = '10.0.0.1'): number {
  return Array.from({ length: MANY }, () => limit.admit({ remoteAddress, localAddress }, now)).filter(Boolean).length
}

test('a client begins so many handshakes at once, then so many a second, and never saves up more', () => {
  const limit = new HandshakeLimit()
  expect(admitted(limit, '10.0.0.7', 0)).toBe(client.atOnce)
  expect(admitted(limit, '10.0.0.7', 100)).toBe(client.perSecond / 10)
  expect(admitted(limit, '10.0.0.7', 1_100)).toBe(client.perSecond)
  expect(admitted(limit, '10.0.0.7', 3_600_000)).toBe(client.atOnce)
})

test('one client uses up nothing of another, and this machine has no limit, by whichever of its addresses it comes', () => {
  const limit = new HandshakeLimit()
  admitted(limit, '10.0.0.7', 0)
  expect(admitted(limit, '10.0.0.8', 0)).toBe(client.atOnce)
  expect(['127.0.0.1', '::1'].map((address) => admitted(limit, address, 0))).toEqual([MANY, MANY])
  expect(admitted(limit, '10.0.0.1', 0)).toBe(MANY)
})

test('addresses of one foreign IPv6 network are one client', () => {
  const limit = new HandshakeLimit()
  expect(admitted(limit, '2001:db8::7', 0)).toBe(client.atOnce)
  expect(admitted(limit, '2001:db8::8', 0)).toBe(0)
})

test('a machine with any number of addresses in an IPv6 network has no more than that network', () => {
  // As for neighbours, each of whom is a client.
  const limit = new HandshakeLimit((address) => address)
  const addresses = Array.from({ length: 50 }, (_, i) => `fd77::${(i + 2).toString(16)}`)
  const counts = addresses.map((address) => admitted(limit, address, 0, 'fd77::1'))
  expect(counts.reduce((sum, count) => sum + count, 0)).toBe(network.atOnce)
  expect(admitted(limit, 'fd78::2', 0, 'fd77::1')).toBe(client.atOnce)
})
