import { UNITS } from '../../../shared/control/filter/values.ts'
import { UsageError } from '../exit.ts'

const DURATION = /^(\d{1,9})([smhd])$/
const DAY = /^(\d{4})-(\d\d)-(\d\d)$/
const TIME = /^(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d(?::\d\d)?(?:Z|[+-]\d\d:\d\d)?)$/

/**
 * The moment to come that an option names, in Unix seconds: `90d` from now, the end of the day `2031-01-03`, or `2031-01-03 18:00`,
 * in the time zone of this machine where none is said. Throws UsageError for what is none, and for one that is over.
 */
export function readMoment(name: string, text: string, now: number): number {
  const at = momentOf(text, now)
  if (Number.isNaN(at)) {
    throw new UsageError(`--${name} takes a time like 90d or 12h, a day like 2031-01-03, or 2031-01-03T18:00, not "${text}".`)
  }
  if (at <= now) throw new UsageError(`--${name} must be still to come: ${text} is over.`)
  return at
}

function momentOf(text: string, now: number): number {
  const [, count, unit] = DURATION.exec(text) ?? []
  if (unit !== undefined) return Math.floor(now) + Number(count) * UNITS[unit as keyof typeof UNITS]
  if (DAY.test(text)) return secondsOf(text, '23:59:59')
  const [, day, time] = TIME.exec(text) ?? []
  return day === undefined ? NaN : secondsOf(day, time!)
}

/** NaN for a day that no calendar has, which JavaScript would take for one of the next month. */
function secondsOf(day: string, time: string): number {
  const isDay = new Date(`${day}T00:00:00Z`).toJSON()?.startsWith(day) ?? false
  return isDay ? Date.parse(`${day}T${time}`) / 1_000 : NaN
}
