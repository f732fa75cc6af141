import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { ProtocolError } from '../../shared/errors.ts'
import { INTERFACE_POLICY, mimeTypeOf } from '../interface-content.ts'
import type { Exchange, Reply } from './exchange.ts'

interface File {
  readonly type: string
  readonly plain: Buffer
  readonly gzipped: Buffer
}

/** The built interface, for browsers. It holds no data, so it needs no login. */
export class InterfaceFiles {
  readonly #directory: string
  #files: Map<string, File> | undefined

  /** `directory`: where the build put the interface; read once, with the first request. */
  constructor(directory: string) {
    this.#directory = directory
  }

  /** The answer to a request for a file of the interface, named by its path in the build. Throws 404. */
  reply({ req }: Exchange, name: string): Reply {
    this.#files ??= readAll(this.#directory)
    const file = this.#files.get(name)
    if (file === undefined) throw new ProtocolError('not_found', 'The interface has no such file.')
    const headers = ['Content-Security-Policy', INTERFACE_POLICY, 'Vary', 'Accept-Encoding']
    const takesGzip = /\bgzip\b/.test(String(req.headers['accept-encoding'] ?? ''))
    if (!takesGzip) return { status: 200, body: file.plain, type: file.type, headers }
    return { status: 200, body: file.gzipped, type: file.type, headers: [...headers, 'Content-Encoding', 'gzip'] }
  }
}

/** Names as the map's keys: whatever a request asks for, only what was found here is served. */
function readAll(directory: string): Map<string, File> {
  const files = new Map<string, File>()
  for (const entry of readdirSync(directory, { recursive: true, withFileTypes: true })) {
    const type = mimeTypeOf(entry.name)
    if (!entry.isFile() || type === undefined) continue
    const path = join(entry.parentPath, entry.name)
    const plain = readFileSync(path)
    files.set(path.slice(directory.length + 1).replaceAll('\\', '/'), { type, plain, gzipped: gzipSync(plain) })
  }
  return files
}
