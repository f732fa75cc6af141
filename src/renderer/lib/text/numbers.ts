const WHOLE = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 })
const SHORT = new Intl.NumberFormat('en-US', { maximumFractionDigits: 1, notation: 'compact' })

/** `12,345`. */
export function formatNumber(value: number): string {
  return WHOLE.format(value)
}

/** `12,345`, `123.5K`: where there is room for a few characters only. */
export function shortNumber(value: number): string {
  return value < 100_000 ? WHOLE.format(value) : SHORT.format(value)
}

/** `1 intent`, `2,000 intents`. */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${formatNumber(count)} ${count === 1 ? one : many}`
}

/** `512 B`, `1.5 KB`, `3.2 MB`: as SPEC counts them, 1 KB is 1,024 bytes. */
export function formatBytes(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`
  const units = ['KB', 'MB', 'GB', 'TB']
  const power = Math.min(Math.floor(Math.log2(bytes) / 10), units.length)
  const value = bytes / 1024 ** power
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ${units[power - 1]}`
}
