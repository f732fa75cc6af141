/** A day as users read it, `2036-01-31`, from Unix seconds. */
export function utcDay(seconds: number): string {
  return new Date(seconds * 1000).toISOString().slice(0, 10)
}

/** A minute as users read it, `2036-01-31 08:15`, from Unix seconds. */
export function utcMinute(seconds: number): string {
  return new Date(seconds * 1000).toISOString().slice(0, 16).replace('T', ' ')
}
