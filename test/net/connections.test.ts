import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { networkInterfaces } from 'node:os'
import { afterEach, expect, test } from 'vitest'
import { clientOf, forwardedAddress } from '../../src/main/net/addresses.ts'
import { Connections } from '../../src/main/net/connections.ts'

const LIMITS = { all: 6, perClient: 4 }

let server: Server
const sockets: Socket[] = []
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy()
  server.close()
})

/** A listener with these limits; the answer opens a connection from an address and gives both of its ends. */
async function listen(): Promise<{ connections: Connections; open: (from: string) => Promise<{ near: Socket; far: Socket }> }> {
  const connections = new Connections(LIMITS)
  const arrivals: ((socket: Socket) => void)[] = []
  server = createServer((socket) => {
    connections.admit(socket.on('error', () => {}))
    arrivals.shift()!(socket)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const open = async (from: string) => {
    const arrived = new Promise<Socket>((resolve) => arrivals.push(resolve))
    const near = connect({ port, host: '127.0.0.1', localAddress: from })
    sockets.push(near.on('error', () => {}).resume())
    return { near, far: await arrived }
  }
  return { connections, open }
}

test('whoever opens many makes room for whoever has few, by what has been idle longest', async () => {
  const { connections, open } = await listen()
  const many: { near: Socket; far: Socket }[] = []
  for (let i = 0; i < LIMITS.all; i++) many.push(await open('127.0.0.2'))
  // The first is in use; the second was just now.
  connections.begin(many[0]!.far)
  connections.begin(many[1]!.far)()
  const few = await open('127.0.0.3')
  expect([few, ...many].map(({ far }) => far.destroyed)).toEqual([false, false, false, true, false, false, false])
  const another = await open('127.0.0.3')
  expect([another, few, ...many].map(({ far }) => far.destroyed)).toEqual([false, false, false, false, true, true, false, false])
})

test('one more of who has most is refused, and nothing that is in use is ended', async () => {
  const { connections, open } = await listen()
  const many: { near: Socket; far: Socket }[] = []
  for (let i = 0; i < LIMITS.all; i++) many.push(await open('127.0.0.2'))
  expect((await open('127.0.0.2')).far.destroyed).toBe(true)
  for (const { far } of many) connections.begin(far)
  expect((await open('127.0.0.3')).far.destroyed).toBe(true)
  expect(many.some(({ far }) => far.destroyed)).toBe(false)
  many[0]!.near.destroy()
  await new Promise((resolve) => many[0]!.far.once('close', resolve))
  expect((await open('127.0.0.3')).far.destroyed).toBe(false)
})

test.each([
  ['10.0.0.7', '10.0.0.7'],
  ['10.0.0.7:4711', '10.0.0.7'],
  ['::ffff:10.0.0.7', '10.0.0.7'],
  ['2001:db8::1', '2001:db8::1'],
  ['[2001:db8::1]', '2001:db8::1'],
  ['[2001:db8::1]:4711', '2001:db8::1'],
  ['fe80::1%eth0', undefined],
  ['unknown', undefined],
  ['10.0.0.7:', undefined],
  ['999.0.0.7', undefined],
  ['', undefined],
  ['x'.repeat(10_000), undefined]
])('an entry %s of a proxy is the address %s', (entry, address) => {
  expect(forwardedAddress(entry)).toBe(address)
})

const own = Object.values(networkInterfaces()).flatMap((list) => list ?? []).filter(({ family, internal }) => family === 'IPv6' && !internal)

test('of foreign IPv6 networks a /64 is one client; in a network of this machine each address is', () => {
  expect(clientOf('2001:db8::1')).toBe(clientOf('2001:db8::2'))
  expect(clientOf('192.168.1.7')).toBe('192.168.1.7')
  expect(clientOf('::1')).toBe('::1')
  for (const { address } of own) expect(clientOf(address)).toBe(address)
})
