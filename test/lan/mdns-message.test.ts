import { DNSPacket } from '@homebridge/ciao/lib/coder/DNSPacket.js'
import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import { guardDecoder } from '../../src/main/lan/guarded-decoder.ts'
import { isModest } from '../../src/main/lan/mdns-message.ts'
import { header, labels, name, pointerTo, record } from '../support/dns-bytes.ts'

const SENDER = { address: '10.77.0.2', family: 'IPv4', port: 5353 }
/** RFC 1035: bytes of a name. */
const MAX_NAME = 255

const SERVICE = name('_intent-bus', '_tcp', 'local')
const PLACE = Buffer.concat([Buffer.from([0, 0, 0, 0, 0x1d, 0xbb]), labels('attic'), pointerTo(12)])

/** An answer with a record of each type that the decoder knows. */
const ANSWER = Buffer.concat([
  header(8),
  record(SERVICE, 12, Buffer.concat([labels('Attic'), pointerTo(12)])),
  record(pointerTo(12), 33, PLACE),
  record(pointerTo(12), 16, labels('tls=1', 'api=7')),
  record(pointerTo(12), 1, Buffer.from([192, 168, 1, 20])),
  record(pointerTo(12), 28, Buffer.alloc(16, 1)),
  record(pointerTo(12), 5, pointerTo(12)),
  record(pointerTo(12), 47, Buffer.concat([pointerTo(12), Buffer.from([0, 4, 0x40, 0, 0, 8])])),
  record(Buffer.from([0]), 41, Buffer.from([0, 4, 0, 2, 1, 2]))
])

/** Records that each point to one long name. */
function pointed(records: number, parts: number): Buffer {
  const long = record(name(...Array.from({ length: parts }, () => 'a')), 12, Buffer.from([0]))
  const others = Array.from({ length: records - 1 }, (_, i) => record(pointerTo(12 + 2 * (i % parts)), 12, pointerTo(12)))
  return Buffer.concat([header(records), long, ...others])
}

beforeAll(guardDecoder)

describe('a message', () => {
  test('as responders send it is decoded', () => {
    expect(isModest(ANSWER)).toBe(true)
    expect(DNSPacket.decode(SENDER, Buffer.from(ANSWER)).answers.size).toBe(8)
  })

  test.each([
    ['of more bytes than messages have', Buffer.concat([ANSWER, Buffer.alloc(9_000)])],
    ['that points to a long name again and again', pointed(1_600, 20_000)],
    ['that does so within a modest size', pointed(200, 2_000)],
    ['of a name of more than 255 bytes', pointed(2, 128)],
    ['of too many records', Buffer.concat([header(300), ...Array.from({ length: 300 }, () => record(SERVICE, 1, Buffer.alloc(4)))])],
    ['whose name points to itself', Buffer.concat([header(1), record(pointerTo(12), 1, Buffer.alloc(4))])],
    ['of a label of an unknown kind', Buffer.concat([header(1), record(Buffer.from([0x40, 12]), 1, Buffer.alloc(4))])],
    ['with more behind the data of a record than that holds', Buffer.concat([header(1), record(SERVICE, 12, Buffer.alloc(20))])],
    ['with a text that is longer than its record', Buffer.concat([header(1), record(SERVICE, 16, Buffer.from([40, 1]))])],
    ['that is cut short', ANSWER.subarray(0, -3)],
    ['with something behind it', Buffer.concat([ANSWER, Buffer.from([0])])],
    ['of no bytes', Buffer.alloc(0)]
  ])('%s is dropped before it is decoded', (_what, message) => {
    const startedAt = performance.now()
    expect(isModest(message)).toBe(false)
    expect(() => DNSPacket.decode(SENDER, message)).toThrow('more than a message of mDNS holds')
    expect(performance.now() - startedAt).toBeLessThan(50)
  })

  test('that announces more to come is answered at once, and not kept', () => {
    const question = Buffer.concat([header(0, 0x0200), SERVICE, Buffer.from([0, 12, 0, 1])])
    question.writeUInt16BE(1, 4)
    expect(DNSPacket.decode(SENDER, question).flags.truncation).toBeUndefined()
  })
})

test('whatever is let through has short names and is decoded in no time', () => {
  const change = fc.record({ at: fc.nat({ max: ANSWER.length - 1 }), byte: fc.integer({ min: 0, max: 255 }) })
  const changed = fc.array(change, { maxLength: 4 }).map((changes) => {
    const message = Buffer.from(ANSWER)
    for (const { at, byte } of changes) message[at] = byte
    return message
  })
  const parts = fc.constantFrom(labels('a'), labels('a'.repeat(63)), pointerTo(12), pointerTo(40), Buffer.from([0]), Buffer.from([0x40]))
  const built = fc.array(fc.tuple(fc.array(parts, { maxLength: 6 }), fc.constantFrom(1, 5, 12, 16, 28, 33, 41, 47, 99)), { maxLength: 12 }).map((records) => {
    return Buffer.concat([header(records.length), ...records.map(([bytes, type]) => record(SERVICE, type, Buffer.concat(bytes)))])
  })
  let passed = 0
  fc.assert(
    fc.property(fc.oneof(changed, built), (message) => {
      if (!isModest(message)) return
      passed++
      const startedAt = performance.now()
      const { questions, answers, authorities, additionals } = DNSPacket.decode(SENDER, message)
      expect(performance.now() - startedAt).toBeLessThan(100)
      const entries = [questions, answers, authorities, additionals].flatMap((section) => [...section.values()])
      for (const entry of entries) expect(entry.name.length).toBeLessThanOrEqual(MAX_NAME)
    }),
    { numRuns: 2_000 }
  )
  expect(passed).toBeGreaterThan(100)
})
