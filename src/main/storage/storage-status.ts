import { formatBytes, MEGABYTE } from '../../shared/bytes.ts'
import type { StorageState, StorageStatus } from '../../shared/control/storage-views.ts'

/** The room on a disk, in bytes. */
export interface DiskRoom {
  /** What programs of this user may still use. */
  readonly free: number
  readonly total: number
  /** A folder of the bus on it. */
  readonly folder: string
}

/** A folder that takes no files. */
export interface Refusal {
  readonly folder: string
  /** The system's word for it. */
  readonly reason: string
}

/** What is known of the storage. */
export interface StorageSigns {
  /** The SQLITE_... code of what the disk refuses; null while it takes what is written. */
  readonly trouble: string | null
  /** Whether the database is larger than it should be, and nothing more of it may be deleted. */
  readonly isOverfull: boolean
  /** The bound of the database, in megabytes. */
  readonly maxMegabytes: number
  /** Where the database lies. */
  readonly folder: string
  /** null where it cannot be had. */
  readonly room: DiskRoom | null
  /** null while the folders take files. */
  readonly refusal: Refusal | null
}

/** What is wrong with the storage, and the one thing to do about it, in sentences. */
export interface StorageFinding {
  readonly state: Exclude<StorageState, 'fine'>
  readonly text: string
  readonly cure: string
}

/** Less than that left is little: the larger of so many bytes and so much of the disk. On a small disk a tenth of it will do. */
const LITTLE = { bytes: 200 * MEGABYTE, share: 0.02, shareOfSmall: 0.1 }
/** A disk with less than that left is full, whatever else it calls its trouble, and before it refuses anything. */
const NOTHING = MEGABYTE

const STOPPED = 'nothing can be published, claimed or settled'
const HEALS = 'The bus goes on by itself then.'

/** How the storage is, for operators. */
export function storageStatus(signs: StorageSigns): StorageStatus {
  const finding = storageFinding(signs)
  return finding === null ? { state: 'fine', problem: null } : { state: finding.state, problem: `${finding.text} ${finding.cure}` }
}

/** The worst of what is wrong; null while all is fine. */
export function storageFinding(signs: StorageSigns): StorageFinding | null {
  const { trouble, refusal, room, isOverfull } = signs
  if (refusal !== null) return readonly(refusal, trouble)
  if (room !== null && room.free < NOTHING) return full(room.folder, trouble)
  if (trouble !== null) return inTrouble(trouble, signs.folder)
  if (room !== null && isLittle(room)) return low(room)
  return isOverfull ? overfull(signs.maxMegabytes * MEGABYTE) : null
}

function inTrouble(trouble: string, folder: string): StorageFinding {
  if (trouble === 'SQLITE_FULL') return full(folder, trouble)
  if (/^SQLITE_(READONLY|CANTOPEN|PERM)/.test(trouble)) return readonly({ folder, reason: trouble }, trouble)
  const text = `The disk of the bus reports errors (${trouble}), the one with ${folder}: ${STOPPED}.`
  return { state: 'failing', text, cure: `Look after the disk. ${HEALS}` }
}

function readonly({ folder, reason }: Refusal, trouble: string | null): StorageFinding {
  const effect = trouble === null ? 'settings and secrets cannot be changed' : STOPPED
  const text = `The folder ${folder} of the bus cannot be written to (${reason}): ${effect}.`
  return { state: 'readonly', text, cure: `Give the bus access to it again. ${HEALS}` }
}

function full(folder: string, trouble: string | null): StorageFinding {
  const text =
    trouble === null
      ? `Less than 1 MB is left on the disk of the bus, the one with ${folder}: at once or soon ${STOPPED}.`
      : `The disk of the bus is full, the one with ${folder}: ${STOPPED}.`
  return { state: 'full', text, cure: `Make room on it. ${HEALS}` }
}

function low({ free, folder }: DiskRoom): StorageFinding {
  const text = `Only ${formatBytes(free)} left on the disk of the bus, the one with ${folder}: when it is full, ${STOPPED}.`
  return { state: 'low', text, cure: 'Make room on it.' }
}

function overfull(bound: number): StorageFinding {
  const text = `The database is larger than its bound of ${formatBytes(bound)}, and nothing more of it may be deleted: the rest is open, claimed, or died less than 7 days ago.`
  return { state: 'overfull', text, cure: 'Raise the bound, or purge what is not needed: under Storage.' }
}

function isLittle({ free, total }: DiskRoom): boolean {
  return free < Math.max(Math.min(LITTLE.bytes, total * LITTLE.shareOfSmall), total * LITTLE.share)
}
