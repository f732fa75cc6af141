const WHOLE = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 })

/** `12,345`. */
export function formatNumber(value: number): string {
  return WHOLE.format(value)
}

/** `1 intent`, `2,000 intents`. */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${formatNumber(count)} ${count === 1 ? one : many}`
}
