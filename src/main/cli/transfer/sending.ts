import type { Operator } from '../bus/operator.ts'
import type { Bytes, Source } from './source.ts'

/** Bytes of a piece: a call to the bus has room for a megabyte of Base64 at most. */
const PIECE_BYTES = 524_288

/** Who sends; `steady`: the first piece, whose answer must be heard. */
export interface Senders {
  readonly operator: Operator
  readonly steady: Operator
}

/** Where a part of an import goes on. */
interface Target {
  readonly part: 'file' | 'wal'
  /** null before the first piece. */
  readonly id: string | null
}

/**
 * Sends all of a source to the bus; resolves with the id of the import, which `onBegun` hears as soon as there is one. Throws
 * CommandError for a source that cannot be read, or that somebody writes to, and ControlError for one that the bus does not take.
 */
export async function sendSource(senders: Senders, source: Source, onBegun: (id: string) => void): Promise<string> {
  const id = await sendPart(senders, source, source.file, { part: 'file', id: null }, onBegun)
  if (source.log !== undefined) await sendPart(senders, source, source.log, { part: 'wal', id })
  await source.check()
  return id
}

async function sendPart(
  { operator, steady }: Senders,
  { name, size }: Source,
  bytes: Bytes,
  { part, id: begun }: Target,
  onBegun: (id: string) => void = () => {}
): Promise<string> {
  let id = begun
  let offset = 0
  for await (const piece of pieces(bytes)) {
    const common = { name, part, offset, data: piece.toString('base64') }
    if (id !== null) await operator.call('transfer.upload', { ...common, id })
    else {
      ;({ id } = await steady.call('transfer.upload', { ...common, id, size }))
      onBegun(id)
    }
    offset += piece.length
  }
  return id!
}

/** The same bytes in pieces of the size that a call carries; one that is empty where there are none. */
async function* pieces(bytes: Bytes): AsyncGenerator<Buffer> {
  let rest: Buffer = Buffer.alloc(0)
  let isEmpty = true
  for await (const chunk of bytes) {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    for (; rest.length >= PIECE_BYTES; rest = rest.subarray(PIECE_BYTES)) {
      yield rest.subarray(0, PIECE_BYTES)
      isEmpty = false
    }
  }
  if (rest.length > 0 || isEmpty) yield rest
}
