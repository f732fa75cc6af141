import { isUtf8 } from 'node:buffer'

/** Messages of the Domain Name System (RFC 1035), as far as it takes to find services by multicast (RFC 6762, 6763). */

const TYPES = { A: 1, PTR: 12, AAAA: 28, SRV: 33 } as const
export type RecordType = keyof typeof TYPES

const INTERNET = 1
/** The bit above the class says that what was known of a name is void. */
const CLASS_MASK = 0x7fff
/** Of the flags: that it is an answer. */
const RESPONSE = 0x8000
const HEADER_BYTES = 12
/** A length from here on is a pointer to where the name goes on. */
const POINTER = 0xc0
/** A name that needs more of them goes in circles. */
const MAX_POINTERS = 16
/** RFC 1035 2.3.4: bytes of a name, and of one of its labels. */
const MAX_NAME = 255
const MAX_LABEL = 63
/** RFC 6762 17: more bytes no message has. */
const MAX_MESSAGE = 9_000
/** Questions and records: more of them nobody sends at a time. */
const MAX_ENTRIES = 256

/** The labels of a name: one of a service may hold dots and spaces. */
export type Name = readonly string[]

export interface Question {
  readonly name: Name
  readonly type: RecordType
}

/** `ttl`: seconds for which it holds; 0 takes it back. */
export type DnsRecord = { readonly name: Name; readonly ttl: number } & (
  | { readonly type: 'A'; readonly address: string }
  | { readonly type: 'AAAA'; readonly address: string }
  | { readonly type: 'PTR'; readonly target: Name }
  | { readonly type: 'SRV'; readonly target: Name; readonly port: number }
)

/** One text for all spellings of a name: case does not count. */
export function nameKey(name: Name): string {
  return JSON.stringify(name.map((label) => label.toLowerCase()))
}

/** The bytes of a query. */
export function encodeQuery(questions: readonly Question[]): Buffer {
  const header = Buffer.alloc(HEADER_BYTES)
  header.writeUInt16BE(questions.length, 4)
  return Buffer.concat([header, ...questions.map(encodeQuestion)])
}

function encodeQuestion({ name, type }: Question): Buffer {
  const labels = name.map((label) => Buffer.concat([Buffer.from([Buffer.byteLength(label)]), Buffer.from(label)]))
  return Buffer.concat([...labels, Buffer.from([0, 0, TYPES[type], 0, INTERNET])])
}

/**
 * The records of an answer that are of a known type; none for a query. Throws RangeError for bytes that are no message, and for
 * more, or longer names, than messages hold: a few bytes may point to a long name again and again.
 */
export function decodeAnswer(bytes: Buffer): readonly DnsRecord[] {
  if (bytes.length > MAX_MESSAGE) throw new RangeError('A message is too long.')
  if ((bytes.readUInt16BE(2) & RESPONSE) === 0) return []
  const count = (section: number): number => bytes.readUInt16BE(4 + 2 * section)
  if (count(0) + count(1) + count(2) + count(3) > MAX_ENTRIES) throw new RangeError('A message holds too much.')
  let at = HEADER_BYTES
  for (let i = 0; i < count(0); i++) at = readName(bytes, at).end + 4
  const records: DnsRecord[] = []
  for (let i = count(1) + count(2) + count(3); i > 0; i--) {
    const { name, end } = readName(bytes, at)
    const type = bytes.readUInt16BE(end)
    const isInternet = (bytes.readUInt16BE(end + 2) & CLASS_MASK) === INTERNET
    const ttl = bytes.readUInt32BE(end + 4)
    const length = bytes.readUInt16BE(end + 8)
    at = end + 10 + length
    if (at > bytes.length) throw new RangeError('A record is cut short.')
    const data = isInternet ? readData(bytes, type, end + 10, length) : undefined
    if (data !== undefined) records.push({ name, ttl, ...data })
  }
  return records
}

type Data = DnsRecord extends infer R ? (R extends unknown ? Omit<R, 'name' | 'ttl'> : never) : never

function readData(bytes: Buffer, type: number, at: number, length: number): Data | undefined {
  if (type === TYPES.PTR) return { type: 'PTR', target: readName(bytes, at).name }
  if (type === TYPES.SRV) return { type: 'SRV', port: bytes.readUInt16BE(at + 4), target: readName(bytes, at + 6).name }
  if (type === TYPES.A && length === 4) return { type: 'A', address: bytes.subarray(at, at + 4).join('.') }
  if (type !== TYPES.AAAA || length !== 16) return undefined
  const groups = Array.from({ length: 8 }, (_, i) => bytes.readUInt16BE(at + 2 * i).toString(16))
  return { type: 'AAAA', address: groups.join(':') }
}

/** The name at a place, and where what stands behind it begins. */
function readName(bytes: Buffer, start: number): { readonly name: Name; readonly end: number } {
  const name: string[] = []
  let at = start
  let end: number | undefined
  for (let size = 1, pointers = 0; ; ) {
    const length = bytes.readUInt8(at)
    if (length === 0) return { name, end: end ?? at + 1 }
    if (length >= POINTER) {
      end ??= at + 2
      at = bytes.readUInt16BE(at) & 0x3fff
      if (++pointers > MAX_POINTERS) throw new RangeError('A name has no end.')
    } else {
      const label = bytes.subarray(at + 1, at + 1 + length)
      size += 1 + length
      if (length > MAX_LABEL || size > MAX_NAME) throw new RangeError('A name is too long.')
      if (label.length < length || !isUtf8(label)) throw new RangeError('A name is cut short, or is no text.')
      name.push(label.toString())
      at += 1 + length
    }
  }
}
