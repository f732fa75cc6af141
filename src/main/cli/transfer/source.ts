import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { basename } from 'node:path'
import { addAbortSignal, pipeline, Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import type { Context } from '../context.ts'
import { CommandError, EXIT, UsageError } from '../exit.ts'

/** What stands for standard input. */
export const STANDARD_INPUT = '-'
/** What every file of gzip begins with. */
const GZIP_MAGIC = Buffer.from([0x1f, 0x8b])

/** A part of what is imported, as it comes. Rejects with CommandError where it cannot be read. */
export type Bytes = AsyncIterable<Buffer>

/** What is imported, decompressed where it is compressed. */
export interface Source {
  /** What the bus calls it. */
  readonly name: string
  /** Bytes of all of it; null where that shows only at the end. */
  readonly size: number | null
  readonly file: Bytes
  /** The log of a SQLite database that lies beside it. */
  readonly log: Bytes | undefined
  /** Throws CommandError where somebody wrote to it meanwhile. */
  check(): Promise<void>
}

/** Opens a file, or standard input for `-`. Throws CommandError for one that cannot be read, and UsageError for a terminal. */
export function openSource(path: string, context: Pick<Context, 'stdin' | 'signals'>): Promise<Source> {
  return path === STANDARD_INPUT ? ofInput(context) : ofFile(path)
}

async function ofInput({ stdin, signals }: Pick<Context, 'stdin' | 'signals'>): Promise<Source> {
  if (stdin.isTTY) throw new UsageError('Standard input is a terminal.', 'Name a file, or let one come in: intent-bus import - --yes < moving.ndjson')
  const { bytes } = await decompressed(read(addAbortSignal(signals.signal, stdin), 'Standard input'), 'What comes from standard input')
  return { name: 'standard input', size: null, file: bytes, log: undefined, check: async () => {} }
}

async function ofFile(path: string): Promise<Source> {
  const log = `${path}-wal`
  const before = await stateOf(path, log)
  const { bytes, isCompressed } = await decompressed(readFile(path), path)
  return {
    name: basename(path),
    size: isCompressed ? null : before.size + before.log,
    file: bytes,
    log: before.log > 0 ? readFile(log) : undefined,
    async check() {
      if ((await stateOf(path, log)).text === before.text) return
      throw new CommandError(EXIT.refused, `${path} changed while it was read.`, 'Stop the server that it belongs to, then import it.')
    }
  }
}

/** Looks at the first bytes, and decompresses all of them where they say that they are compressed. */
async function decompressed(bytes: Bytes, what: string): Promise<{ readonly bytes: Bytes; readonly isCompressed: boolean }> {
  const pieces = bytes[Symbol.asyncIterator]()
  let head = Buffer.alloc(0)
  for (let next = await pieces.next(); !next.done; next = await pieces.next()) {
    head = Buffer.concat([head, next.value])
    if (head.length >= GZIP_MAGIC.length) break
  }
  const isCompressed = head.subarray(0, GZIP_MAGIC.length).equals(GZIP_MAGIC)
  const all = withHead(head, pieces)
  return { bytes: isCompressed ? gunzip(all, what) : all, isCompressed }
}

async function* withHead(head: Buffer, rest: AsyncIterator<Buffer>): AsyncGenerator<Buffer> {
  try {
    yield head
    for (let next = await rest.next(); !next.done; next = await rest.next()) yield next.value
  } finally {
    await rest.return?.()
  }
}

async function* gunzip(bytes: Bytes, what: string): AsyncGenerator<Buffer> {
  const gunzipping = createGunzip()
  // What goes wrong reaches whoever reads.
  pipeline(Readable.from(bytes), gunzipping, () => {})
  try {
    yield* gunzipping as AsyncIterable<Buffer>
  } catch (error) {
    if (error instanceof CommandError) throw error
    throw new CommandError(EXIT.refused, `${what} cannot be decompressed: it was cut off, or it is damaged.`, 'Copy it again.')
  }
}

function readFile(path: string): Bytes {
  return read(createReadStream(path), path)
}

async function* read(stream: Readable, what: string): AsyncGenerator<Buffer> {
  try {
    yield* stream as AsyncIterable<Buffer>
  } catch (error) {
    throw unreadable(what, error)
  }
}

/** What would be another one if somebody wrote to the files. */
async function stateOf(path: string, log: string): Promise<{ readonly size: number; readonly log: number; readonly text: string }> {
  const [main, beside] = await Promise.all([
    stat(path).catch((error: unknown) => {
      throw unreadable(path, error)
    }),
    stat(log).catch(() => undefined)
  ])
  if (!main.isFile()) throw new CommandError(EXIT.refused, `${path} is no file.`)
  return { size: main.size, log: beside?.size ?? 0, text: `${main.size} ${main.mtimeMs} ${beside?.size} ${beside?.mtimeMs}` }
}

function unreadable(what: string, error: unknown): CommandError {
  const { code, message } = error as NodeJS.ErrnoException
  return new CommandError(EXIT.refused, `${what} cannot be read (${code ?? message}).`)
}
