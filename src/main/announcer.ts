import { createSocket } from 'node:dgram'
import { isIPv4 } from 'node:net'
import { parentPort, workerData } from 'node:worker_threads'
import { getResponder } from '@homebridge/ciao'
import type { AnnouncedName, Announcement, FromAnnouncer, ToAnnouncer } from './lan/discovery.ts'
import { guardDecoder } from './lan/guarded-decoder.ts'

/**
 * The thread that announces the bus on its network by mDNS. It is a thread of its own because the responder may end the
 * process it runs in, and changes how errors are written there.
 */

const MDNS_PORT = 5353
const MDNS_ADDRESS = '224.0.0.251'
/** Without the underscore, which the responder adds. */
const SERVICE_TYPE = 'intent-bus'

const announcement = workerData as Announcement
const responder = getResponder({ interface: announcement.interface })

guardDecoder()
parentPort!.on('message', (message: ToAnnouncer) => {
  if (message === 'end') void end()
  else send({ isAlive: true })
})

try {
  await tryMulticast(announcement.addresses)
  send({ announced: await announce() })
} catch (error) {
  send({ problem: (error as Error).message })
}

function send(message: FromAnnouncer): void {
  parentPort!.postMessage(message)
}

/** Says what the responder would keep to itself: that it cannot be heard. */
async function tryMulticast(addresses: readonly string[]): Promise<void> {
  const address = addresses.find((candidate) => isIPv4(candidate))
  if (address === undefined) throw new Error('the network has no IPv4 address')
  const socket = createSocket({ type: 'udp4', reuseAddr: true })
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject)
    socket.bind(MDNS_PORT, resolve)
  })
  socket.addMembership(MDNS_ADDRESS, address)
  socket.setMulticastInterface(address)
  socket.close()
}

/** Announces the bus by the first of its names that nobody else has, and answers with its host name. */
async function announce(): Promise<string> {
  for (const name of announcement.names) {
    if (await advertise(name)) return name.host
  }
  throw new Error('others on the network have its names')
}

/** Whether the name could be had. The responder's own way out would be a host name that no certificate can hold. */
async function advertise({ name, host }: AnnouncedName): Promise<boolean> {
  const { addresses, port, text } = announcement
  const service = responder.createService({ name, hostname: host, type: SERVICE_TYPE, port, txt: { ...text }, restrictedAddresses: [...addresses] })
  let isTaken = false
  let isDone = false
  service.on('name-change', () => {
    isTaken = true
    if (isDone) send({ problem: 'somebody else on the network took its name' })
  })
  await service.advertise()
  isDone = true
  if (isTaken) await service.destroy()
  return !isTaken
}

/** Says goodbye. */
async function end(): Promise<void> {
  await responder.shutdown().catch(() => {})
  parentPort!.close()
}
