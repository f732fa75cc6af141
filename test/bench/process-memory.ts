import { readFileSync } from 'node:fs'

/** Megabytes of a process, now and at its most. */
export interface Memory {
  readonly resident: number
  readonly peak: number
}

/** undefined where there is no /proc. */
export function memoryOf(pid: number): Memory | undefined {
  let status: string
  try {
    status = readFileSync(`/proc/${pid}/status`, 'utf8')
  } catch {
    return undefined
  }
  const megabytes = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]) / 1024
  return { resident: megabytes('VmRSS'), peak: megabytes('VmHWM') }
}

/** undefined where there is no /proc. */
export function residentMegabytes(pid: number): number | undefined {
  return memoryOf(pid)?.resident
}
