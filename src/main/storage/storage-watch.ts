import { constants } from 'node:fs'
import { access, statfs } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { StorageStatus } from '../../shared/control/storage-views.ts'
import type { Bus } from '../bus/bus.ts'
import type { Clock } from '../bus/clock.ts'
import { storageFinding, storageStatus, type DiskRoom, type Refusal, type StorageFinding, type StorageSigns } from './storage-status.ts'

/** Seconds between two looks at the disk. */
const LOOK_INTERVAL = 60

export interface StorageWatchOptions {
  readonly bus: Bus
  readonly clock: Clock
  readonly dataDir: string
  readonly databasePath: string
  /** The bound of the database as it is set, in megabytes. */
  readonly maxMegabytes: () => number
  /** Hears that the status is another one. */
  readonly onChange: (status: StorageStatus, before: StorageStatus) => void
}

/** Watches the disk that the bus writes to: how much room is left, and whether it takes what is written. */
export class StorageWatch {
  readonly #options: StorageWatchOptions
  readonly #folders: readonly string[]
  #status: StorageStatus = { state: 'fine', problem: null }
  #room: DiskRoom | null = null
  #refusal: Refusal | null = null
  #looking: Promise<void> | undefined
  #cancel: (() => void) | undefined
  #isClosed = false

  constructor(options: StorageWatchOptions) {
    this.#options = options
    this.#folders = foldersOf(options)
  }

  get status(): StorageStatus {
    return this.#status
  }

  /** The room on the disk when it was last looked at, of several the fullest; null where it cannot be had. */
  get room(): DiskRoom | null {
    return this.#room
  }

  /** What is wrong now, by what the last look has found; null while nothing is. */
  get finding(): StorageFinding | null {
    return storageFinding(this.#signs())
  }

  /** Looks now, or joins the look that is under way, and from then on once a minute. */
  look(): Promise<void> {
    return (this.#looking ??= this.#look().finally(() => (this.#looking = undefined)))
  }

  async #look(): Promise<void> {
    this.#cancel?.()
    this.#room = await leastRoom(this.#folders)
    this.#refusal = await refusalOf(this.#folders)
    this.judge()
    if (!this.#isClosed) this.#cancel = this.#options.clock.after(LOOK_INTERVAL, () => void this.look())
  }

  /** Says anew how the storage is, after the bus's own view of it has changed. */
  judge(): void {
    if (this.#isClosed) return
    const before = this.#status
    this.#status = storageStatus(this.#signs())
    if (this.#status.problem !== before.problem) this.#options.onChange(this.#status, before)
  }

  close(): void {
    this.#isClosed = true
    this.#cancel?.()
  }

  #signs(): StorageSigns {
    const { bus, databasePath, maxMegabytes } = this.#options
    const { trouble, isOverfull } = bus.storage
    return { trouble, isOverfull, maxMegabytes: maxMegabytes(), folder: dirname(databasePath), room: this.#room, refusal: this.#refusal }
  }
}

/** The folders that a bus writes to. */
export function foldersOf({ dataDir, databasePath }: { readonly dataDir: string; readonly databasePath: string }): readonly string[] {
  return [...new Set([dataDir, dirname(databasePath)])]
}

/** The room on the fullest of the disks that these folders are on; null where it cannot be had. */
export async function leastRoom(folders: readonly string[]): Promise<DiskRoom | null> {
  const rooms: DiskRoom[] = []
  for (const folder of folders) {
    try {
      const { bavail, blocks, bsize } = await statfs(folder)
      // Some file systems do not know; they say 0.
      if (blocks > 0) rooms.push({ free: bavail * bsize, total: blocks * bsize, folder })
    } catch {
      // Whether it can be written to is asked next.
    }
  }
  return rooms.sort((a, b) => a.free - b.free)[0] ?? null
}

/** The first of these folders that cannot be written to, with the reason; null when all can. */
export async function refusalOf(folders: readonly string[]): Promise<Refusal | null> {
  for (const folder of folders) {
    try {
      await access(folder, constants.W_OK | constants.X_OK)
    } catch (error) {
      return { folder, reason: (error as NodeJS.ErrnoException).code ?? (error as Error).message }
    }
  }
  return null
}
