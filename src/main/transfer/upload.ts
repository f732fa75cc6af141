import { chmodSync, mkdirSync, rmSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { ProtocolError } from '../../shared/errors.ts'
import { asDiskRefusal } from '../files.ts'

/** The log of a SQLite database lies beside it under its name and this. */
const SUFFIX = { file: '', wal: '-wal' } as const
export type UploadPart = keyof typeof SUFFIX

/** Bytes of all parts. */
const MAX_BYTES = 16 * 2 ** 30

/** A file that arrives in pieces, in a folder of its own that only its owner can read. */
export class Upload {
  readonly #folder: string
  readonly #sizes = { file: 0, wal: 0 }

  private constructor(folder: string) {
    this.#folder = folder
  }

  /** Makes a folder below `root`; what was left there by a bus that ended in between is removed. Throws 503 where the disk takes none. */
  static begin(root: string, id: string): Upload {
    try {
      rmSync(root, { recursive: true, force: true })
      const folder = join(root, id)
      mkdirSync(folder, { recursive: true, mode: 0o700 })
      chmodSync(root, 0o700)
      return new Upload(folder)
    } catch (error) {
      throw asDiskRefusal(error)
    }
  }

  /** Removes a folder of uploads. */
  static clear(folder: string): void {
    try {
      rmSync(folder, { recursive: true, force: true })
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

  /**
   * Adds a piece at the end. Throws `invalid_request` when it belongs elsewhere, 413 when it is too much, and 503 where the disk
   * does not take it.
   */
  async append(part: UploadPart, offset: number, piece: Buffer): Promise<void> {
    if (offset !== this.#sizes[part]) {
      throw new ProtocolError('invalid_request', `The next piece of the file begins at byte ${this.#sizes[part]}, not at ${offset}; begin again.`)
    }
    if (this.bytes + piece.length > MAX_BYTES) throw new ProtocolError('payload_too_large', `A file to import has at most ${MAX_BYTES} bytes.`)
    try {
      const file = await open(this.path + SUFFIX[part], offset === 0 ? 'w' : 'r+', 0o600)
      try {
        await file.write(piece, 0, piece.length, offset)
      } finally {
        await file.close()
      }
    } catch (error) {
      throw asDiskRefusal(error)
    }
    this.#sizes[part] += piece.length
  }

  remove(): void {
    Upload.clear(this.#folder)
  }
}
