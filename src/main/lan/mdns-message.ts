/**
 * Whether a message of multicast DNS (RFC 1035, 6762) is one that a decoder can be given which trusts its sender: anybody on
 * the network may send anything, and a few bytes can point to long names again and again.
 */

/** RFC 6762 17: more bytes no message has. */
const MAX_MESSAGE = 9_000
/** Questions and records: more of them nobody asks or answers at a time. */
const MAX_ENTRIES = 256
/** RFC 1035 2.3.4: bytes of a name, and of one of its labels. */
const MAX_NAME = 255
const MAX_LABEL = 63
/** Parts of a name, with a pointer from each to the next. */
const MAX_PARTS = 16
const HEADER_BYTES = 12
/** A length from here on is a pointer to where the name goes on. */
const POINTER = 0xc0

const A = 1
const CNAME = 5
const PTR = 12
const TXT = 16
const AAAA = 28
const SRV = 33
const OPT = 41
const NSEC = 47

/** Whether it is as small as messages are, with as few and as short names, and its records as long as they say. */
export function isModest(message: Buffer): boolean {
  if (message.length > MAX_MESSAGE) return false
  try {
    return isWhole(message)
  } catch (error) {
    // Reading on behind the end.
    if (error instanceof RangeError) return false
    throw error
  }
}

function isWhole(message: Buffer): boolean {
  const [questions, ...sections] = [4, 6, 8, 10].map((at) => message.readUInt16BE(at)) as [number, ...number[]]
  const records = sections.reduce((sum, count) => sum + count, 0)
  if (questions + records > MAX_ENTRIES) return false
  let at = HEADER_BYTES
  for (let i = 0; i < questions; i++) at = endOfName(message, at) + 4
  for (let i = 0; i < records; i++) {
    const fixed = endOfName(message, at)
    const data = fixed + 10
    at = data + message.readUInt16BE(fixed + 8)
    if (at > message.length || !isAsLong(message, message.readUInt16BE(fixed), data, at)) return false
  }
  return at === message.length
}

/** Whether the data of a record ends where it says: a decoder that goes by the data itself would read something else behind it. */
function isAsLong(message: Buffer, type: number, start: number, end: number): boolean {
  switch (type) {
    case A:
      return end - start === 4
    case AAAA:
      return end - start === 16
    case PTR:
    case CNAME:
      return endOfName(message, start) === end
    case SRV:
      return endOfName(message, start + 6) === end
    case NSEC:
      // Not all who send it point to where they mean; nobody follows.
      return readLabels(message, start).end <= end
    case TXT:
      return endOfParts(start, end, (at) => at + 1 + message.readUInt8(at)) === end
    case OPT:
      return endOfParts(start, end, (at) => at + 4 + message.readUInt16BE(at + 2)) === end
    default:
      return true
  }
}

function endOfParts(start: number, end: number, next: (at: number) => number): number {
  let at = start
  while (at < end) at = next(at)
  return at
}

/** Where what stands behind a name begins. Throws RangeError for one that is too long, or that points forwards. */
function endOfName(message: Buffer, start: number): number {
  let part = readLabels(message, start)
  const { end } = part
  let bytes = end - start
  for (let from = start, parts = 1; part.pointer !== undefined; parts++) {
    if (part.pointer >= from || parts === MAX_PARTS) throw new RangeError('A name goes in circles.')
    from = part.pointer
    part = readLabels(message, from)
    bytes += part.end - from
  }
  if (bytes > MAX_NAME) throw new RangeError('A name is too long.')
  return end
}

/** The labels from a place on, to their end or to a pointer. Throws RangeError where they are too long. */
function readLabels(message: Buffer, start: number): { readonly end: number; readonly pointer?: number } {
  for (let at = start; at - start <= MAX_NAME; ) {
    const length = message.readUInt8(at)
    if (length === 0) return { end: at + 1 }
    if (length >= POINTER) return { end: at + 2, pointer: message.readUInt16BE(at) & 0x3fff }
    if (length > MAX_LABEL) break
    at += 1 + length
  }
  throw new RangeError('A name is too long.')
}
