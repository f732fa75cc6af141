import { formatNumber } from '../../../shared/numbers.ts'

export { formatBytes } from '../../../shared/bytes.ts'
export { counted, formatNumber } from '../../../shared/numbers.ts'

const SHORT = new Intl.NumberFormat('en-US', { maximumFractionDigits: 1, notation: 'compact' })
const BRIEF = new Intl.NumberFormat('en-US', { notation: 'compact' })

/** `12,345`, `123.5K`: where there is room for a few characters only. */
export function shortNumber(value: number): string {
  return value < 100_000 ? formatNumber(value) : SHORT.format(value)
}

/** `987`, `1.2K`, `20K`: where there is hardly room for any. */
export function briefNumber(value: number): string {
  return BRIEF.format(value)
}
