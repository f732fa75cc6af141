import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { endianness } from 'node:os'

/**
 * SQLite takes a frame of its log that is not whole for the end of the log: right for the last transaction, which a crash cut off,
 * wrong for damage in front of transactions that were acknowledged. This tells the two apart. The format:
 * https://www.sqlite.org/fileformat.html#walformat
 */

const HEADER_BYTES = 32
const FRAME_HEADER_BYTES = 24
/** Of logs whose checksums are over words in the order of this machine's bytes, which is how it writes them; and of the others. */
const MAGIC = endianness() === 'LE' ? { own: 0x377f0682, other: 0x377f0683 } : { own: 0x377f0683, other: 0x377f0682 }

type Checksum = readonly [number, number]

interface Frame {
  /** It belongs to this use of the log, and not to one before. */
  readonly isCurrent: boolean
  /** It is the last one of its transaction. */
  readonly isCommit: boolean
  readonly stored: Checksum
  /** Its checksum, going on from that of the frame before. */
  sumFrom(before: Checksum): Checksum
}

/** Whether a log has lost transactions to damage. It is only read. */
export function isLogDamaged(path: string): boolean {
  let file: number
  try {
    file = openSync(path, 'r')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false
    throw error
  }
  try {
    return looksDamaged(file)
  } finally {
    closeSync(file)
  }
}

function looksDamaged(file: number): boolean {
  const header = Buffer.alloc(HEADER_BYTES)
  if (readSync(file, header, 0, HEADER_BYTES, 0) < HEADER_BYTES) return false
  // A system that crashed while it made the file may have left nothing but its length.
  if (header.every((byte) => byte === 0)) return false
  // Of a machine of another kind: left to SQLite.
  if (header.readUInt32BE(0) === MAGIC.other) return false
  const pageSize = header.readUInt32BE(8)
  const isPageSize = pageSize >= 512 && pageSize <= 65_536 && (pageSize & (pageSize - 1)) === 0
  const isOwn = header.readUInt32BE(0) === MAGIC.own
  if (!isPageSize || !isOwn || !isSame(sum(header.subarray(0, 24), [0, 0]), checksumAt(header, 24))) {
    return fstatSync(file).size > HEADER_BYTES
  }
  return hasTransactionBehindGap(frames(file, pageSize, header), checksumAt(header, 24))
}

/**
 * A transaction is written once the one before is on disk. What follows a commit behind the first bad frame therefore shows that
 * this frame was on disk, and was acknowledged.
 */
function hasTransactionBehindGap(all: Iterable<Frame>, start: Checksum): boolean {
  let before: Checksum = start
  let isBroken = false
  let commitsBehind = 0
  for (const frame of all) {
    const isWhole = frame.isCurrent && isSame(frame.sumFrom(before), frame.stored)
    if (isBroken && commitsBehind > 0 && isWhole) return true
    isBroken ||= !isWhole
    if (isBroken && frame.isCurrent && frame.isCommit) commitsBehind++
    before = frame.stored
  }
  return false
}

function* frames(file: number, pageSize: number, header: Buffer): Generator<Frame> {
  // Memory of its own and not a piece of a pool, so that words begin where they must.
  const bytes = Buffer.from(new ArrayBuffer(FRAME_HEADER_BYTES + pageSize))
  for (let at = HEADER_BYTES; readSync(file, bytes, 0, bytes.length, at) === bytes.length; at += bytes.length) {
    yield {
      isCurrent: bytes.compare(header, 16, 24, 8, 16) === 0,
      isCommit: bytes.readUInt32BE(4) !== 0,
      stored: checksumAt(bytes, 16),
      sumFrom: (before) => sum(bytes.subarray(FRAME_HEADER_BYTES), sum(bytes.subarray(0, 8), before))
    }
  }
}

function checksumAt(bytes: Buffer, at: number): Checksum {
  return [bytes.readUInt32BE(at), bytes.readUInt32BE(at + 4)]
}

function isSame(a: Checksum, b: Checksum): boolean {
  return a[0] === b[0] && a[1] === b[1]
}

function sum(bytes: Buffer, from: Checksum): Checksum {
  const words = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length >> 2)
  let [a, b] = from
  for (let i = 0; i < words.length; i += 2) {
    a = (a + words[i]! + b) >>> 0
    b = (b + words[i + 1]! + a) >>> 0
  }
  return [a, b]
}
