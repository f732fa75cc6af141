/** Times are Unix seconds, durations seconds. */

const UNITS = [
  [86_400, 'd'],
  [3_600, 'h'],
  [60, 'min']
] as const

/** `340 ms`, `1.2 s`, `12 s`, `3 min`, `2 h`, `5 d`: one unit, rounded down. */
export function duration(seconds: number): string {
  if (seconds < 0.9995 && seconds > 0) return `${Math.round(seconds * 1000)} ms`
  if (seconds < 10 && !Number.isInteger(seconds)) return `${seconds.toFixed(1)} s`
  // Up to two of a unit the smaller one tells more.
  const unit = UNITS.find(([size]) => seconds >= 2 * size)
  return unit === undefined ? `${Math.floor(seconds)} s` : `${Math.floor(seconds / unit[0])} ${unit[1]}`
}

/** `now`, `12 s ago`, `in 3 min`. */
export function relativeTime(at: number, now: number): string {
  const seconds = Math.floor(Math.abs(now - at))
  if (seconds === 0) return 'now'
  return at < now ? `${duration(seconds)} ago` : `in ${duration(seconds)}`
}

/** `14:05:09` in the time zone of this machine. */
export function clockTime(at: number): string {
  const date = new Date(at * 1000)
  return [date.getHours(), date.getMinutes(), date.getSeconds()].map((part) => String(part).padStart(2, '0')).join(':')
}

/** `2026-03-30 14:05:09` in the time zone of this machine. */
export function exactTime(at: number): string {
  const date = new Date(at * 1000)
  const parts = [date.getFullYear(), date.getMonth() + 1, date.getDate()].map((part) => String(part).padStart(2, '0'))
  return `${parts.join('-')} ${clockTime(at)}`
}

export function nowInSeconds(): number {
  return Date.now() / 1000
}
