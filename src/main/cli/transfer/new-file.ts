import { existsSync } from 'node:fs'
import { open, rename, rm, type FileHandle } from 'node:fs/promises'
import { CommandError, EXIT } from '../exit.ts'

/** A file that is there when all of it is, and not before; for its owner only. */
export class NewFile {
  readonly #path: string
  readonly #file: FileHandle

  private constructor(path: string, file: FileHandle) {
    this.#path = path
    this.#file = file
  }

  /** Throws CommandError where it is there already or cannot be made. */
  static async begin(path: string): Promise<NewFile> {
    if (existsSync(path)) throw new CommandError(EXIT.refused, `${path} is there already.`, 'Name a new file.')
    try {
      await rm(`${path}.part`, { force: true })
      return new NewFile(path, await open(`${path}.part`, 'wx', 0o600))
    } catch (error) {
      throw unwritable(path, error)
    }
  }

  async write(text: string): Promise<void> {
    try {
      await this.#file.writeFile(text)
    } catch (error) {
      throw unwritable(this.#path, error)
    }
  }

  /** All of it is written: it gets its name, once it is on disk. */
  async finish(): Promise<void> {
    try {
      await this.#file.sync()
      await this.#file.close()
      await rename(`${this.#path}.part`, this.#path)
    } catch (error) {
      throw unwritable(this.#path, error)
    }
  }

  async giveUp(): Promise<void> {
    await this.#file.close().catch(() => {})
    await rm(`${this.#path}.part`, { force: true })
  }
}

function unwritable(path: string, error: unknown): CommandError {
  const { code, message } = error as NodeJS.ErrnoException
  return new CommandError(EXIT.refused, `${path} cannot be written (${code ?? message}).`)
}
