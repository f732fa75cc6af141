import type { DoctorCheck } from '../../shared/control/doctor-views.ts'

const MARKS: Readonly<Record<DoctorCheck['outcome'], string>> = { fine: 'ok', warning: 'warn', trouble: 'FAIL' }

/** What the doctor found, as lines for a terminal. */
export function doctorLines(checks: readonly DoctorCheck[]): readonly string[] {
  return checks.flatMap(({ name, outcome, text, next }) => {
    const line = `${MARKS[outcome].padEnd(4)}  ${name.padEnd(11)}  ${text}`
    return next === null ? [line] : [line, `${' '.repeat(19)}${next}`]
  })
}
