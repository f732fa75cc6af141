import type { DoctorCheck, DoctorCheckName } from '../../shared/control/doctor-views.ts'

/** What came of one look: how it is, in a sentence, and what to do. */
export type Finding = Pick<DoctorCheck, 'outcome' | 'text' | 'next'>

export function fine(text: string, next: string | null = null): Finding {
  return { outcome: 'fine', text, next }
}

export function warning(text: string, next: string): Finding {
  return { outcome: 'warning', text, next }
}

export function trouble(text: string, next: string): Finding {
  return { outcome: 'trouble', text, next }
}

export function named(name: DoctorCheckName, finding: Finding): DoctorCheck {
  return { name, ...finding }
}

/** A moment (Unix seconds) in UTC, as logs have it: `2026-11-21 19:26 UTC`. */
export function moment(seconds: number): string {
  return `${new Date(seconds * 1000).toISOString().slice(0, 16).replace('T', ' ')} UTC`
}
