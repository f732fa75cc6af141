import { readFileSync } from 'node:fs'
import { ProtocolError } from '../../shared/errors.ts'
import type { Reply } from './exchange.ts'

/** Where a bus hands out its client: `npm install <bus>/intent-bus-client.tgz`. */
export const CLIENT_PACKAGE_PATH = '/intent-bus-client.tgz'

/** The package of the client that was built with this bus. It holds no data, so it needs no key. */
export class ClientPackage {
  readonly #path: string
  #content: Buffer | undefined

  /** `path`: where the build put it; read once, with the first request. */
  constructor(path: string) {
    this.#path = path
  }

  /** Throws 404 where it was not built. */
  reply(): Reply {
    this.#content ??= this.#read()
    return { status: 200, body: this.#content, type: 'application/gzip', headers: [] }
  }

  #read(): Buffer {
    try {
      return readFileSync(this.#path)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
      throw new ProtocolError('not_found', 'This bus was built without its client; npm run build makes it.')
    }
  }
}
