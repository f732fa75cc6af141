/** Times are Unix seconds, durations seconds. */

const MINUTE = 60
const HOUR = 3_600
const DAY = 86_400

/** `0 s`, `340 ms`, `12 s`, `3 min`, `2 h`, `5 d`: one unit, for columns and sentences. */
export function briefDuration(seconds: number): string {
  const abs = Math.abs(seconds)
  if (abs < 0.0005) return '0 s'
  if (abs < 1) return `${Math.round(abs * 1000)} ms`
  if (abs < 10 && !Number.isInteger(abs)) return `${abs.toFixed(1)} s`
  if (abs < 2 * MINUTE) return `${Math.floor(abs)} s`
  if (abs < 2 * HOUR) return `${Math.floor(abs / MINUTE)} min`
  if (abs < 2 * DAY) return `${Math.floor(abs / HOUR)} h`
  return `${Math.floor(abs / DAY)} d`
}

/** `1 min 05 s`, `2 h 10 min`, `3 d 4 h`: two units, for single values and countdowns. */
export function fullDuration(seconds: number): string {
  const abs = Math.abs(seconds)
  if (abs < MINUTE) return briefDuration(abs)
  const whole = Math.round(abs)
  const pad = (value: number): string => String(value).padStart(2, '0')
  if (whole < HOUR) return `${Math.floor(whole / MINUTE)} min ${pad(whole % MINUTE)} s`
  if (whole < DAY) return `${Math.floor(whole / HOUR)} h ${pad(Math.floor((whole % HOUR) / MINUTE))} min`
  return `${Math.floor(whole / DAY)} d ${Math.floor((whole % DAY) / HOUR)} h`
}

/** `now`, `12 s ago`, `in 3 min`. */
export function relativeTime(at: number, now: number): string {
  const seconds = now - at
  if (Math.abs(seconds) < 1) return 'now'
  const whole = briefDuration(Math.floor(Math.abs(seconds)))
  return seconds > 0 ? `${whole} ago` : `in ${whole}`
}

/** `2025-03-30 14:05:09.120 UTC+2`, in this device's time zone. */
export function exactTime(at: number): string {
  return `${localTime(at, 23).replace(/[.]000$/, '')} ${zoneAt(at)}`
}

/** `2025-03-30 14:05:09 UTC+2`, in this device's time zone: in sentences, where milliseconds say nothing. */
export function wholeTime(at: number): string {
  return `${localTime(at, 19)} ${zoneAt(at)}`
}

/** `2025-03-30 14:05`, in this device's time zone: beside other moments. */
export function minuteTime(at: number): string {
  return localTime(at, 16)
}

/** So many characters of `2025-03-30 14:05:09.120`. */
function localTime(at: number, length: number): string {
  const local = new Date(new Date(at * 1000).getTime() + offsetAt(at) * 60_000)
  return local.toISOString().slice(0, length).replace('T', ' ')
}

function zoneAt(at: number): string {
  const offset = offsetAt(at)
  if (offset === 0) return 'UTC'
  const minutes = Math.abs(offset) % 60
  const hours = `${Math.floor(Math.abs(offset) / 60)}${minutes === 0 ? '' : `:${String(minutes).padStart(2, '0')}`}`
  return `UTC${offset < 0 ? '−' : '+'}${hours}`
}

/** Minutes that this device's clocks are ahead of UTC. */
function offsetAt(at: number): number {
  return -new Date(at * 1000).getTimezoneOffset()
}

/** `14:05:09` of this device's time zone, or `14:05`. */
export function clockTime(at: number, precision: 'seconds' | 'minutes' = 'seconds'): string {
  const date = new Date(at * 1000)
  const parts = [date.getHours(), date.getMinutes(), ...(precision === 'seconds' ? [date.getSeconds()] : [])]
  return parts.map((part) => String(part).padStart(2, '0')).join(':')
}
