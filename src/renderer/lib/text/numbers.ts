export { formatBytes } from '../../../shared/bytes.ts'

const WHOLE = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 })
const SHORT = new Intl.NumberFormat('en-US', { maximumFractionDigits: 1, notation: 'compact' })
const BRIEF = new Intl.NumberFormat('en-US', { notation: 'compact' })

/** `12,345`. */
export function formatNumber(value: number): string {
  return WHOLE.format(value)
}

/** `12,345`, `123.5K`: where there is room for a few characters only. */
export function shortNumber(value: number): string {
  return value < 100_000 ? WHOLE.format(value) : SHORT.format(value)
}

/** `987`, `1.2K`, `20K`: where there is hardly room for any. */
export function briefNumber(value: number): string {
  return BRIEF.format(value)
}

/** `1 intent`, `2,000 intents`. */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${formatNumber(count)} ${count === 1 ? one : many}`
}
