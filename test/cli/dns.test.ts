import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decodeAnswer, encodeQuery, nameKey } from '../../src/main/cli/discovery/dns.ts'
import { Records } from '../../src/main/cli/discovery/find.ts'
import { header, labels, name, pointerTo, record } from '../support/dns-bytes.ts'

const SERVICE = ['_intent-bus', '_tcp', 'local']

/** Records that point to one name of so many labels. */
function pointed(records: number, parts: number): Buffer {
  const long = record(name(...Array.from({ length: parts }, () => 'a')), 12, Buffer.from([0]))
  return Buffer.concat([header(records), long, ...Array.from({ length: records - 1 }, () => record(pointerTo(12), 12, pointerTo(12)))])
}

test('an answer whose names are shortened by pointers', () => {
  const service = Buffer.concat([labels(...SERVICE), Buffer.from([0])])
  const instance = Buffer.concat([labels('Attic 2.0'), pointerTo(12)])
  const pointer = record(service, 12, instance)
  const instanceAt = 12 + service.length + 10
  const host = Buffer.concat([labels('attic'), pointerTo(12 + service.length - 7)])
  const place = record(pointerTo(instanceAt), 33, Buffer.concat([Buffer.from([0, 0, 0, 0, 0x1d, 0xbb]), host]))
  const text = record(pointerTo(instanceAt), 16, labels('tls=1'))
  const hostAt = 12 + pointer.length + 12 + 6
  const four = record(pointerTo(hostAt), 1, Buffer.from([192, 168, 1, 20]))
  const six = record(pointerTo(hostAt), 28, Buffer.from('fd000000000000000000000000000002', 'hex'))
  expect(decodeAnswer(Buffer.concat([header(5), pointer, place, text, four, six]))).toEqual([
    { name: SERVICE, ttl: 120, type: 'PTR', target: ['Attic 2.0', ...SERVICE] },
    { name: ['Attic 2.0', ...SERVICE], ttl: 120, type: 'SRV', port: 7611, target: ['attic', 'local'] },
    { name: ['attic', 'local'], ttl: 120, type: 'A', address: '192.168.1.20' },
    { name: ['attic', 'local'], ttl: 120, type: 'AAAA', address: 'fd00:0:0:0:0:0:0:2' }
  ])
})

test('a question is what the RFC says, and no answer', () => {
  const query = encodeQuery([{ name: ['a', 'local'], type: 'PTR' }])
  expect(query.toString('hex')).toBe('000000000001000000000000' + '0161056c6f63616c00' + '000c0001')
  expect(decodeAnswer(query)).toEqual([])
})

test('a name that points to itself, or beyond the end, is an error and no endless loop', () => {
  expect(() => decodeAnswer(Buffer.concat([header(1), pointerTo(12), Buffer.alloc(10)]))).toThrow(RangeError)
  expect(() => decodeAnswer(Buffer.concat([header(1), pointerTo(4_000), Buffer.alloc(10)]))).toThrow(RangeError)
  expect(() => decodeAnswer(Buffer.concat([header(1), Buffer.from([40, 1])]))).toThrow(RangeError)
})

test.each([
  ['of more bytes than messages have', Buffer.concat([header(0), Buffer.alloc(9_000)])],
  ['of more records than messages hold', Buffer.concat([header(300), ...Array.from({ length: 300 }, () => record(name('a'), 1, Buffer.alloc(4)))])],
  ['with a name of more than 255 bytes', pointed(2, 128)],
  ['that points to a long name again and again', pointed(250, 2_000)],
  ['with a name that is no text', Buffer.concat([header(1), record(Buffer.from([1, 0xff, 0]), 1, Buffer.alloc(4))])],
  ['with a label of more than 63 bytes', Buffer.concat([header(1), record(name('a'.repeat(64)), 1, Buffer.alloc(4))])]
])('a message %s is an error', (_what, message) => {
  expect(() => decodeAnswer(message)).toThrow(RangeError)
})

test('a name of 255 bytes is one', () => {
  expect(decodeAnswer(pointed(1, 127))[0]!.name).toHaveLength(127)
})

test('any bytes are records or an error, soon', () => {
  const flagged = fc.uint8Array({ minLength: 0, maxLength: 300 }).map((bytes) => Buffer.concat([header(3), bytes]))
  const change = fc.record({ at: fc.nat(), byte: fc.integer({ min: 0, max: 255 }) })
  const mutated = fc.tuple(fc.constantFrom(pointed(200, 100), pointed(250, 127)), fc.array(change, { maxLength: 20 })).map(([message, changes]) => {
    const bytes = Buffer.from(message)
    for (const { at, byte } of changes) bytes[at % bytes.length] = byte
    return bytes
  })
  let slowest = 0
  fc.assert(
    fc.property(fc.oneof(flagged, mutated, fc.uint8Array({ maxLength: 300 }).map(Buffer.from)), (bytes) => {
      const startedAt = performance.now()
      try {
        new Records().add(bytes)
        expect(decodeAnswer(bytes).length).toBeLessThanOrEqual(256)
      } catch (error) {
        expect(error).toBeInstanceOf(RangeError)
      }
      slowest = Math.max(slowest, performance.now() - startedAt)
    }),
    { numRuns: 1_000 }
  )
  // Milliseconds; usually it is below five, and minutes where names have no limit.
  expect(slowest).toBeLessThan(200)
})

test('what is heard again and again is kept once, what is taken back is gone, and nobody fills the memory', () => {
  const service = name(...SERVICE)
  const pointer = (instance: string, ttl?: number) => Buffer.concat([header(1), record(service, 12, Buffer.concat([labels(instance), pointerTo(12)]), ttl)])
  const place = Buffer.concat([header(1), record(name('Attic', ...SERVICE), 33, Buffer.concat([Buffer.from([0, 0, 0, 0, 0x1d, 0xbb]), name('attic', 'local')]))])
  const records = new Records()
  for (let i = 0; i < 5_000; i++) records.add(pointer('Attic'))
  for (let i = 0; i < 5_000; i++) {
    records.add(pointer(`b${i}`))
    records.add(pointer(`b${i}`, 0))
  }
  records.add(place)
  expect(records.buses()).toEqual([{ name: 'Attic', urls: ['https://attic.local:7611'] }])
  expect(records.missing()).toHaveLength(2)
  for (let i = 0; i < 5_000; i++) records.add(pointer(`c${i}`))
  expect(records.missing().length).toBeLessThan(4_200)
  records.add(pointer('Attic', 0))
  expect(records.buses()).toEqual([])
})

test('case does not make another name', () => {
  expect(nameKey(['Attic', 'LOCAL'])).toBe(nameKey(['attic', 'local']))
  expect(nameKey(['a.b', 'local'])).not.toBe(nameKey(['a', 'b', 'local']))
})
