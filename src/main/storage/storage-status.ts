import type { StorageStatus } from '../../shared/control/storage-views.ts'

/** The room on a disk, in bytes. */
export interface DiskRoom {
  /** What programs of this user may still use. */
  readonly free: number
  readonly total: number
}

/** What is known of the storage. */
export interface StorageSigns {
  /** The SQLITE_... code of what the disk refuses; null while it takes what is written. */
  readonly trouble: string | null
  /** Whether the database is larger than it should be, and nothing more of it may be deleted. */
  readonly isOverfull: boolean
  /** The bound of the database, in megabytes. */
  readonly maxMegabytes: number
  /** null where it cannot be had. */
  readonly room: DiskRoom | null
  /** Why the folder takes no files, as the system's word; null when it does. */
  readonly refusal: string | null
}

const MEGABYTE = 1024 ** 2
/** Less than that left is little: the larger of so many bytes and so much of the disk. On a small disk a tenth of it will do. */
const LITTLE = { bytes: 200 * MEGABYTE, share: 0.02, shareOfSmall: 0.1 }
/** A disk with less than that left is full, whatever else it calls its trouble. */
const NOTHING = MEGABYTE

const STOPPED = 'nothing can be published, claimed or settled'
const HEALS = 'The bus goes on by itself then.'

/** How the storage is, with what to do about it. */
export function storageStatus(signs: StorageSigns): StorageStatus {
  const { trouble, refusal, room } = signs
  if (trouble !== null || refusal !== null) return inTrouble(signs)
  if (room !== null && isLittle(room)) {
    const left = room.free < MEGABYTE ? 'Less than 1 MB' : `Only ${Math.floor(room.free / MEGABYTE).toLocaleString('en-US')} MB`
    return { state: 'low', problem: `${left} left on the disk of the bus. Make room: when it is full, ${STOPPED}.` }
  }
  if (signs.isOverfull) {
    const bound = `${signs.maxMegabytes.toLocaleString('en-US')} MB`
    const problem = `The database is larger than its bound of ${bound}, and nothing more of it may be deleted: the rest is open, claimed, or died less than 7 days ago. Raise the bound, or purge what is not needed.`
    return { state: 'overfull', problem }
  }
  return { state: 'fine', problem: null }
}

function inTrouble({ trouble, refusal, room }: StorageSigns): StorageStatus {
  const isFull = trouble === 'SQLITE_FULL' || (room !== null && room.free < NOTHING)
  if (isFull && refusal === null) {
    return { state: 'full', problem: `The disk of the bus is full: ${STOPPED}. Make room on it. ${HEALS}` }
  }
  const isReadonly = refusal !== null || /^SQLITE_(READONLY|CANTOPEN|PERM)/.test(trouble!)
  const why = `(${refusal ?? trouble})`
  if (isReadonly) {
    const problem = `The data folder of the bus cannot be written to ${why}: ${trouble === null ? 'settings and secrets cannot be changed' : STOPPED}. Give the bus access to it again. ${HEALS}`
    return { state: 'readonly', problem }
  }
  return { state: 'failing', problem: `The disk of the bus reports errors ${why}: ${STOPPED}. Look after the disk. ${HEALS}` }
}

function isLittle({ free, total }: DiskRoom): boolean {
  return free < Math.max(Math.min(LITTLE.bytes, total * LITTLE.shareOfSmall), total * LITTLE.share)
}
