import { spawn } from 'node:child_process'
import { closeSync, fdatasyncSync, openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { diesWithUs } from './children.ts'
import type { LoadOptions, LoadResult } from './load.ts'

/** NaN of nothing. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

/** Runs load.ts in a process of its own, so that client and server do not share a thread. Rejects when it failed. */
export async function runLoad(options: LoadOptions): Promise<LoadResult> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'load.ts'), JSON.stringify(options)], {
    stdio: ['ignore', 'pipe', 'pipe']
  })
  diesWithUs(child)
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (stdout += chunk))
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (stderr += chunk))
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve))
  if (code !== 0) throw new Error(`The load process ended with ${code}: ${stderr}`)
  return JSON.parse(stdout) as LoadResult
}

const PAGE_BYTES = 4_096
/** As many as the bus lets its log grow to, so that both write over blocks that exist. */
const PAGES = 4_000

/** What the disk does: writes of 4 KiB, each followed by fdatasync. */
export class SyncMeter implements Disposable {
  readonly #file: number
  readonly #page = Buffer.alloc(PAGE_BYTES, 0x5a)
  #at = 0

  /** `folder`: on the file system that is to be measured. */
  constructor(folder: string) {
    this.#file = openSync(join(folder, 'sync-meter'), 'w')
    writeSync(this.#file, Buffer.alloc(PAGE_BYTES * PAGES, 0xa5))
    fdatasyncSync(this.#file)
  }

  /** Synced writes a second, measured over `seconds`. */
  measure(seconds: number): number {
    const started = performance.now()
    const until = started + seconds * 1000
    let count = 0
    let now = started
    for (; now < until; now = performance.now(), count++) {
      writeSync(this.#file, this.#page, 0, PAGE_BYTES, this.#at)
      fdatasyncSync(this.#file)
      this.#at = (this.#at + PAGE_BYTES) % (PAGE_BYTES * PAGES)
    }
    return (count * 1000) / (now - started)
  }

  [Symbol.dispose](): void {
    closeSync(this.#file)
  }
}
