import { stat, statfs } from 'node:fs/promises'
import { formatBytes } from '../../shared/bytes.ts'

/** Bytes that are to be left beside what is copied: the copies are opened, and have logs of their own for a moment. */
const MARGIN = 16 * 1024 ** 2

/** Why the disks do not take so many bytes in these folders, which are there, as two sentences; undefined where they do. */
export async function roomTrouble(needs: readonly (readonly [folder: string, bytes: number])[]): Promise<string | undefined> {
  const perDisk = new Map<number, { readonly folder: string; bytes: number }>()
  for (const [folder, bytes] of needs) {
    const { dev } = await stat(folder)
    const disk = perDisk.get(dev) ?? { folder, bytes: MARGIN }
    perDisk.set(dev, { ...disk, bytes: disk.bytes + bytes })
  }
  for (const { folder, bytes } of perDisk.values()) {
    const { bavail, blocks, bsize } = await statfs(folder)
    const free = bavail * bsize
    // Some file systems do not know; they say 0 blocks.
    if (blocks > 0 && free < bytes) {
      return `There is not enough room on the disk of ${folder}: ${formatBytes(bytes)} are needed, and ${formatBytes(free)} are free. Make room on it, then try again.`
    }
  }
  return undefined
}
