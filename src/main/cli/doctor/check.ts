import type { ExitCode } from '../exit.ts'

/** What came of one look at something. */
export interface Check {
  readonly name: string
  /** `warning`: it works, and yet. `skipped`: it cannot be told, or there is nothing to look at. */
  readonly outcome: 'fine' | 'warning' | 'trouble' | 'skipped'
  readonly text: string
  /** What to do; only where there is something to do. */
  readonly cure?: string
  /** How the process ends when this is the first trouble. */
  readonly exitCode?: ExitCode
}

export function fine(name: string, text: string): Check {
  return { name, outcome: 'fine', text }
}

export function warning(name: string, text: string, cure: string): Check {
  return { name, outcome: 'warning', text, cure }
}

export function trouble(name: string, exitCode: ExitCode, text: string, cure: string): Check {
  return { name, outcome: 'trouble', text, cure, exitCode }
}

export function skipped(name: string, text: string): Check {
  return { name, outcome: 'skipped', text }
}
