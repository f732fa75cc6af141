import { spawn, spawnSync, type ChildProcess, type SpawnOptions } from 'node:child_process'

/** Runs a program somewhere. */
export interface Place {
  spawn(program: string, args: readonly string[], options: SpawnOptions): ChildProcess
}

/** This machine, as it is. */
export const HERE: Place = { spawn: (program, args, options) => spawn(program, args, options) }

/** How a program ended, and what it printed. */
export interface Attempt {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** A machine of a home network: a network namespace with one interface, `eth0`. */
export class NetworkHost implements Place {
  readonly address: string
  readonly #holder: ChildProcess
  readonly #port: string
  readonly #wall: ChildProcess

  constructor(address: string, holder: ChildProcess, port: string, wall: ChildProcess) {
    this.address = address
    this.#holder = holder
    this.#port = port
    this.#wall = wall
  }

  spawn(program: string, args: readonly string[], options: SpawnOptions): ChildProcess {
    return spawn('nsenter', [...entering(this.#holder), program, ...args], options)
  }

  /** What begins a command line that is run here, for whoever starts programs by a command line of his own. */
  get entrance(): readonly string[] {
    return ['nsenter', ...entering(this.#holder)]
  }

  /** Runs a program to its end and gives what it printed. Throws when it fails. */
  run(program: string, ...args: readonly string[]): string {
    return runIn(this.#holder, program, ...args)
  }

  /** Runs a program to its end, however that is. */
  attempt(program: string, ...args: readonly string[]): Attempt {
    const { status, stdout, stderr, error } = spawnSync('nsenter', [...entering(this.#holder), program, ...args], { encoding: 'utf8' })
    if (error !== undefined) throw error
    return { code: status, stdout, stderr }
  }

  /** Gives it another address beside those that it has, on the same network; IPv6 with its prefix as `fd77::9`. */
  addAddress(address: string): void {
    const isIPv6 = address.includes(':')
    runIn(this.#holder, 'ip', 'address', 'add', `${address}/${isIPv6 ? 64 : 24}`, 'dev', 'eth0', ...(isIPv6 ? ['nodad'] : []))
  }

  removeAddress(address: string): void {
    runIn(this.#holder, 'ip', 'address', 'delete', `${address}/${address.includes(':') ? 64 : 24}`, 'dev', 'eth0')
  }

  /** Pulls its cable out: nothing is said to anybody, packets are just lost. */
  unplug(): void {
    runIn(this.#wall, 'ip', 'link', 'set', this.#port, 'down')
  }

  plugIn(): void {
    runIn(this.#wall, 'ip', 'link', 'set', this.#port, 'up')
  }
}

/** Machines on one switch, each in a network namespace of its own; they are gone with this process. */
export class HomeNetwork implements Disposable {
  readonly hosts: readonly NetworkHost[]
  readonly #holders: readonly ChildProcess[]

  private constructor(hosts: readonly NetworkHost[], holders: readonly ChildProcess[]) {
    this.hosts = hosts
    this.#holders = holders
  }

  /** Why there can be none here; undefined where there can. */
  static trouble(): string | undefined {
    if (process.platform !== 'linux') return 'network namespaces are a thing of Linux'
    const { status, stderr, error } = spawnSync('unshare', ['--map-root-user', '--user', '--net', 'ip', 'link', 'set', 'lo', 'up'], { encoding: 'utf8' })
    if (error !== undefined) return 'unshare or ip is missing (packages util-linux, iproute2)'
    return status === 0 ? undefined : `a network namespace is not permitted: ${stderr.trim()}`
  }

  /** `count` machines, with the addresses 10.77.0.1 and so on. */
  static async create(count: number): Promise<HomeNetwork> {
    const wall = await hold(spawn('unshare', ['--map-root-user', '--user', '--net', '--mount', ...HOLDER], HOLDER_OPTIONS))
    const holders = [wall]
    runIn(wall, 'ip', 'link', 'add', 'switch0', 'type', 'bridge')
    runIn(wall, 'ip', 'link', 'set', 'switch0', 'up')
    const hosts: NetworkHost[] = []
    for (let i = 1; i <= count; i++) {
      const holder = await hold(spawn('nsenter', [...entering(wall), 'unshare', '--net', '--mount', ...HOLDER], HOLDER_OPTIONS))
      holders.push(holder)
      const port = `port${i}`
      const address = `10.77.0.${i}`
      runIn(wall, 'ip', 'link', 'add', 'name', port, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', String(holder.pid))
      runIn(wall, 'ip', 'link', 'set', port, 'master', 'switch0', 'up')
      runIn(holder, 'ip', 'link', 'set', 'lo', 'up')
      runIn(holder, 'ip', 'address', 'add', `${address}/24`, 'dev', 'eth0')
      runIn(holder, 'ip', 'link', 'set', 'eth0', 'up')
      hosts.push(new NetworkHost(address, holder, port, wall))
    }
    return new HomeNetwork(hosts, holders)
  }

  [Symbol.dispose](): void {
    for (const holder of this.#holders) holder.kill('SIGKILL')
  }
}

/** A process that keeps a namespace alive until its standard input ends: when this process ends, whatever the way. */
const HOLDER = ['sh', '-c', 'echo there; exec cat']
const HOLDER_OPTIONS = { stdio: ['pipe', 'pipe', 'inherit'] } as const satisfies SpawnOptions

async function hold(child: ChildProcess): Promise<ChildProcess> {
  await new Promise((resolve, reject) => {
    child.stdout!.once('data', resolve)
    child.once('exit', (code) => reject(new Error(`A namespace ended with ${code}.`)))
  })
  return child
}

function entering({ pid }: ChildProcess): string[] {
  return ['--target', String(pid), '--user', '--net', '--mount', '--preserve-credentials', '--']
}

function runIn(holder: ChildProcess, program: string, ...args: readonly string[]): string {
  const { status, stdout, stderr, error } = spawnSync('nsenter', [...entering(holder), program, ...args], { encoding: 'utf8' })
  if (status === 0) return stdout
  throw new Error(`${program} ${args.join(' ')}: ${error?.message ?? stderr}`)
}
