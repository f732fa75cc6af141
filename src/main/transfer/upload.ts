import { chmod, mkdir, open, rm, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import { GIGABYTE, MEGABYTE } from '../../shared/bytes.ts'
import { ProtocolError } from '../../shared/errors.ts'
import { formatNumber } from '../../shared/numbers.ts'
import { asDiskRefusal } from '../files.ts'

/** The log of a SQLite database lies beside it under its name and this. */
const SUFFIX = { file: '', wal: '-wal' } as const
export type UploadPart = keyof typeof SUFFIX

/** Bytes of all parts. */
const MAX_BYTES = 16 * GIGABYTE
/** Bytes that an upload, and its import, leave to everything else on the disk: with less the bus soon takes no work any more. */
const HEADROOM = 128 * MEGABYTE

/** Throws 413 for a file of more bytes than any import has. */
export function checkSize(bytes: number): void {
  if (bytes > MAX_BYTES) throw new ProtocolError('payload_too_large', `A file to import has at most ${MAX_BYTES / GIGABYTE} GB.`)
}

/** Throws 503 unless a disk with so many free bytes takes `bytes` more and has enough left. `free`: null where that is not known. */
export function checkRoom(free: number | null, bytes: number): void {
  const needed = bytes + HEADROOM
  if (free === null || free >= needed) return
  const [has, wants] = [Math.floor(free / MEGABYTE), Math.ceil(needed / MEGABYTE)].map(formatNumber)
  const problem = `The disk of the bus has ${has} MB left, and the import needs ${wants} MB, as some must stay free for the work of the bus.`
  throw new ProtocolError('storage_unavailable', `${problem} Make room on it, then import the file again.`, 60)
}

/**
 * A file that arrives in pieces, in a folder of its own that only its owner can read. Nothing here holds up the thread: to give
 * back gigabytes takes a file system some time.
 */
export class Upload {
  readonly #folder: string
  readonly #sizes = { file: 0, wal: 0 }
  /** Ends, never with an error, when no piece is being written any more. */
  #writing: Promise<unknown> = Promise.resolve()

  private constructor(folder: string) {
    this.#folder = folder
  }

  /** Makes a folder below `root`; what was left there by a bus that ended in between is removed. Throws 503 where the disk takes none. */
  static async begin(root: string, id: string): Promise<Upload> {
    try {
      await rm(root, { recursive: true, force: true })
      const folder = join(root, id)
      await mkdir(folder, { recursive: true, mode: 0o700 })
      await chmod(root, 0o700)
      return new Upload(folder)
    } catch (error) {
      throw asDiskRefusal(error)
    }
  }

  /** Removes a folder of uploads; never rejects. */
  static async clear(folder: string): Promise<void> {
    try {
      await rm(folder, { recursive: true, force: true })
    } catch {
      // On Windows a file stays while somebody reads it; the next upload tries again, and says so.
    }
  }

  get path(): string {
    return join(this.#folder, 'import')
  }

  get bytes(): number {
    return this.#sizes.file + this.#sizes.wal
  }

  /** Throws `invalid_request` for a piece that does not belong at the end. */
  expect(part: UploadPart, offset: number): void {
    if (offset === this.#sizes[part]) return
    throw new ProtocolError('invalid_request', `The next piece of the file begins at byte ${this.#sizes[part]}, not at ${offset}; begin again.`)
  }

  /** Adds a piece at the end. Throws 413 when it is too much, and 503 where the disk does not take it. */
  async append(part: UploadPart, piece: Buffer): Promise<void> {
    checkSize(this.bytes + piece.length)
    const offset = this.#sizes[part]
    const written = this.#write(part, offset, piece)
    this.#writing = written.catch(() => {})
    await written
    this.#sizes[part] += piece.length
  }

  /** Removes what has arrived; never rejects. */
  async remove(): Promise<void> {
    await this.#writing
    await Upload.clear(this.#folder)
  }

  async #write(part: UploadPart, offset: number, piece: Buffer): Promise<void> {
    try {
      const file = await open(this.path + SUFFIX[part], offset === 0 ? 'w' : 'r+', 0o600)
      try {
        await writeAll(file, piece, offset)
      } finally {
        await file.close()
      }
    } catch (error) {
      throw asDiskRefusal(error)
    }
  }
}

/** A disk that is nearly full takes a part of what it is given, without an error; the next write tells. */
async function writeAll(file: FileHandle, bytes: Buffer, offset: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const { bytesWritten } = await file.write(bytes, done, bytes.length - done, offset + done)
    done += bytesWritten
  }
}
