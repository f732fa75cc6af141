import { clockTime } from './time.ts'

/** Days as people write them, in this device's time zone. Times are Unix seconds. */

/** Seconds around now in which the hour of a moment counts. */
const SOON = 2 * 86_400

/** `3 Jan`, `3 Jan 14:05` for one that is near, `3 Jan 2031` in another year; in this device's time zone. */
export function dateWords(at: number, now: number): string {
  const day = dayWords(at, now)
  return Math.abs(at - now) < SOON ? `${day} ${clockTime(at, 'minutes')}` : day
}

/** `3 Jan`, `3 Jan 2031` in another year. */
export function dayWords(at: number, now: number): string {
  const date = new Date(at * 1000)
  const isThisYear = date.getFullYear() === new Date(now * 1000).getFullYear()
  return new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', ...(!isThisYear && { year: 'numeric' }) }).format(date)
}
