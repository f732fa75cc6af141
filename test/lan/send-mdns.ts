import { createSocket } from 'node:dgram'
import { setTimeout as pause } from 'node:timers/promises'
import { header, labels, name, pointerTo, record } from '../support/dns-bytes.ts'

/** Sends messages to all that speak mDNS that take a trusting decoder gigabytes and minutes, and as many as others take. */

const PORT = 5353
const GROUP = '224.0.0.251'
const SECONDS = 4

const [own] = process.argv.slice(2) as [string]

/** Records that all point to one name of so many labels. */
function pointed(records: number, parts: number): Buffer {
  const long = record(name(...Array.from({ length: parts }, () => 'a')), 12, Buffer.from([0]))
  return Buffer.concat([header(records), long, ...Array.from({ length: records - 1 }, (_, i) => record(pointerTo(12 + 2 * (i % parts)), 12, pointerTo(12)))])
}

/** A part of a query of whose known answers more is to come. */
function unfinished(n: number): Buffer {
  const answers = Array.from({ length: 250 }, (_, i) => record(labels(`${n}-${i}`, 'local', ''), 1, Buffer.alloc(4)))
  return Buffer.concat([header(answers.length, 0x0200), ...answers])
}

const socket = createSocket({ type: 'udp4', reuseAddr: true })
await new Promise<void>((resolve) => socket.bind(PORT, resolve))
socket.addMembership(GROUP, own)
socket.setMulticastInterface(own)
const send = (message: Buffer): Promise<void> => new Promise((resolve) => socket.send(message, PORT, GROUP, () => resolve()))
for (let n = 0, end = Date.now() + SECONDS * 1000; Date.now() < end; n++) {
  await send(unfinished(n))
  if (n % 20 === 0) await send(pointed(1_600, 20_000))
  if (n % 20 === 10) await send(pointed(250, 127))
  if (n % 10 === 0) await pause(1)
}
socket.close()
