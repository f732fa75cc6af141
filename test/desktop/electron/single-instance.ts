import { spawnSync } from 'node:child_process'
import { mkdirSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { join } from 'node:path'

/** What a second instance tells the first. */
export interface SecondInstance {
  readonly argv: readonly string[]
  readonly workingDirectory: string
  readonly additionalData: object
}

/**
 * One running app per folder of its data: the first listens, the others tell it how they were started. The question is
 * answered at once, as Electron does, so that it is asked in a process of its own.
 */
export class SingleInstance {
  readonly #address: string
  #server: Server | undefined

  constructor(userData: string) {
    mkdirSync(userData, { recursive: true })
    this.#address = join(userData, 'SingletonSocket')
  }

  get isHeld(): boolean {
    return this.#server !== undefined
  }

  /** Whether this is the first instance; else the first hears of this one. */
  take(own: SecondInstance, hear: (other: SecondInstance) => void): boolean {
    if (this.isHeld) return true
    if (this.#tell(own)) return false
    rmSync(this.#address, { force: true })
    this.#server = createServer((socket) => {
      let text = ''
      socket.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
      socket.on('end', () => {
        socket.end('heard')
        hear(JSON.parse(text) as SecondInstance)
      })
    })
    this.#server.listen(this.#address)
    this.#server.unref()
    return true
  }

  release(): void {
    if (this.#server === undefined) return
    this.#server.close()
    this.#server = undefined
    rmSync(this.#address, { force: true })
  }

  #tell(own: SecondInstance): boolean {
    const { status } = spawnSync(process.execPath, ['--input-type=module', '-e', TELL, this.#address, JSON.stringify(own)])
    return status === 0
  }
}

/** Ends with 0 when somebody listened. */
const TELL = `
import { connect } from 'node:net'
const [address, text] = process.argv.slice(1)
const socket = connect(address, () => socket.end(text))
socket.on('data', () => process.exit(0))
socket.on('error', () => process.exit(1))
`
