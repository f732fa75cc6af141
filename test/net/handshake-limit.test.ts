import { expect, test } from 'vitest'
import { HANDSHAKES, HandshakeLimit } from '../../src/main/net/handshake-limit.ts'

const MANY = 1_000

/** How many of so many handshakes that come at a moment (milliseconds) may begin. */
function admitted(limit: HandshakeLimit, address: string, now: number): number {
  return Array.from({ length: MANY }, () => limit.admit(address, now)).filter(Boolean).length
}

test('a client begins so many handshakes at once, then so many a second, and never saves up more', () => {
  const limit = new HandshakeLimit()
  expect(admitted(limit, '10.0.0.7', 0)).toBe(HANDSHAKES.atOnce)
  expect(admitted(limit, '10.0.0.7', 100)).toBe(HANDSHAKES.perSecond / 10)
  expect(admitted(limit, '10.0.0.7', 1_100)).toBe(HANDSHAKES.perSecond)
  expect(admitted(limit, '10.0.0.7', 3_600_000)).toBe(HANDSHAKES.atOnce)
})

test('one client uses up nothing of another, and this machine has no limit', () => {
  const limit = new HandshakeLimit()
  admitted(limit, '10.0.0.7', 0)
  expect(admitted(limit, '10.0.0.8', 0)).toBe(HANDSHAKES.atOnce)
  expect(['127.0.0.1', '::1'].map((address) => admitted(limit, address, 0))).toEqual([MANY, MANY])
})

test('addresses of one foreign IPv6 network are one client', () => {
  const limit = new HandshakeLimit()
  expect(admitted(limit, '2001:db8::7', 0)).toBe(HANDSHAKES.atOnce)
  expect(admitted(limit, '2001:db8::8', 0)).toBe(0)
})
