import { spawn, spawnSync, type ChildProcess, type SpawnOptions } from 'node:child_process'
import { closeSync, openSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { temporaryFolder } from './folders.ts'
import type { Place } from './home-network.ts'

/** A process that keeps a namespace alive until its standard input ends: when this process ends, whatever the way. */
const HOLDER = ['sh', '-c', 'mount -t tmpfs -o "size=$1,mode=700" tmpfs "$2" && echo there && exec cat', 'sh']

/** A disk of a few megabytes, in a mount namespace of its own: `path` is the same inside, `outside` reaches it from here. */
export class SmallDisk implements Place, Disposable {
  readonly path: string
  readonly outside: string
  readonly #holder: ChildProcess
  readonly #folder: Disposable

  private constructor(path: string, holder: ChildProcess, folder: Disposable) {
    this.path = path
    this.outside = `/proc/${holder.pid}/root${path}`
    this.#holder = holder
    this.#folder = folder
  }

  /** Why there can be none here; undefined where there can. */
  static trouble(): string | undefined {
    if (process.platform !== 'linux') return 'mount namespaces are a thing of Linux'
    const { status, stderr, error } = spawnSync('unshare', ['--map-root-user', '--user', '--mount', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt'], { encoding: 'utf8' })
    if (error !== undefined) return 'unshare is missing (package util-linux)'
    return status === 0 ? undefined : `a mount namespace is not permitted: ${stderr.trim()}`
  }

  /** `megabytes` large. */
  static async create(megabytes: number): Promise<SmallDisk> {
    const folder = temporaryFolder()
    const args = ['--map-root-user', '--user', '--mount', ...HOLDER, `${megabytes}m`, folder.path]
    const holder = spawn('unshare', args, { stdio: ['pipe', 'pipe', 'inherit'] })
    await new Promise((resolve, reject) => {
      holder.stdout.once('data', resolve)
      holder.once('exit', (code) => reject(new Error(`The small disk ended with ${code}.`)))
    })
    return new SmallDisk(folder.path, holder, folder)
  }

  /** Runs a program that sees the disk at `path`. */
  spawn(program: string, args: readonly string[], options: SpawnOptions): ChildProcess {
    return spawn('nsenter', [...this.#entering(), program, ...args], options)
  }

  /** Takes all the room that is left. */
  fill(): void {
    const file = openSync(this.#filler, 'a')
    try {
      for (let size = 65_536; size >= 1; size = Math.floor(size / 2)) this.#fillBy(file, Buffer.alloc(size))
    } finally {
      closeSync(file)
    }
  }

  makeRoom(): void {
    rmSync(this.#filler)
  }

  /** Lets nobody write, or everybody again. Only while nobody has a file open for writing. */
  remount(mode: 'ro' | 'rw'): void {
    const { status, stderr } = spawnSync('nsenter', [...this.#entering(), 'mount', '-o', `remount,${mode}`, this.path], { encoding: 'utf8' })
    if (status !== 0) throw new Error(stderr)
  }

  [Symbol.dispose](): void {
    this.#holder.kill('SIGKILL')
    this.#folder[Symbol.dispose]()
  }

  get #filler(): string {
    return join(this.outside, 'somebody-elses-file')
  }

  #fillBy(file: number, block: Buffer): void {
    try {
      for (;;) writeSync(file, block)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
    }
  }

  #entering(): string[] {
    return ['--target', String(this.#holder.pid), '--user', '--mount', '--preserve-credentials', '--']
  }
}
