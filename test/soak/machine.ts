import { readdirSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { BusProcess } from '../support/bus-process.ts'
import { memoryOf } from '../bench/process-memory.ts'

/** Seconds of a lease: short, so that lost ones come back while the soak runs. */
export const LEASE = 6
/** Longer than what the bus takes for a busy machine. */
const SLEEP_MS = 12_000

/** A bus that is restarted, killed and put to sleep, at one address and on one folder. */
export class Machine {
  readonly #dataDir: string
  readonly #port: number
  #bus: BusProcess

  private constructor(dataDir: string, port: number, bus: BusProcess) {
    this.#dataDir = dataDir
    this.#port = port
    this.#bus = bus
  }

  static async start(dataDir: string): Promise<Machine> {
    const port = await freePort()
    return new Machine(dataDir, port, await startBus(dataDir, port))
  }

  get url(): string {
    return this.#bus.url
  }

  get key(): string {
    return this.#bus.mainKey
  }

  get password(): string {
    return this.#bus.password
  }

  /** Megabytes that are resident, and open handles; undefined where the system does not tell. */
  get usage(): { readonly megabytes: number; readonly handles: number } | undefined {
    const pid = this.#bus.process.pid!
    const memory = memoryOf(pid)
    return memory && { megabytes: memory.resident, handles: readdirSync(`/proc/${pid}/fd`).length }
  }

  /** Ends the bus by a signal and starts it again. Rejects when it does not end in order by SIGTERM. */
  async restart(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const { code } = await this.#bus.kill(signal)
    if (signal === 'SIGTERM' && code !== 0) throw new Error(`The bus ended with ${code}: ${this.#bus.stderr.slice(-2_000)}`)
    this.#bus = await startBus(this.#dataDir, this.#port)
  }

  /** The process stands still for a while, as on a machine that sleeps. */
  async sleep(): Promise<void> {
    this.#bus.process.kill('SIGSTOP')
    await new Promise((resolve) => setTimeout(resolve, SLEEP_MS))
    this.#bus.process.kill('SIGCONT')
  }

  async stop(): Promise<void> {
    await this.#bus[Symbol.asyncDispose]()
  }
}

function startBus(dataDir: string, port: number): Promise<BusProcess> {
  return BusProcess.start(dataDir, { BUS_PORT: String(port), BUS_CLAIM_TIMEOUT_SECONDS: String(LEASE), BUS_LOG_LEVEL: 'warn' })
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}
