import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

export interface ProcessFacts {
  /** Its words, with a NUL behind each, as every user of this machine sees them. */
  readonly command: string
  /** Its variables in the same form, as its owner sees them. */
  readonly environment: string
}

/** Every process of this machine. */
export function processes(): ProcessFacts[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        const [command, environment] = ['cmdline', 'environ'].map((file) => readFileSync(join('/proc', pid, file), 'utf8'))
        return [{ command: command!, environment: environment! }]
      } catch {
        // It has ended meanwhile.
        return []
      }
    })
}

/** Whether there is a process whose command begins so. */
export function runsWith(beginning: string): boolean {
  return processes().some(({ command }) => command.startsWith(beginning))
}
