import type { Statistics, StatisticsPoint } from '../../../shared/control/overview-views.ts'
import type { Connection } from '../store/database.ts'
import { Histogram } from '../store/histogram.ts'

/** Seconds of a point, and points. */
const RANGES = {
  hour: { step: 60, points: 60 },
  day: { step: 900, points: 96 }
} as const

export type StatisticsRange = keyof typeof RANGES

const COUNTED = ['published', 'claimed', 'fulfilled', 'failed', 'dead', 'lost', 'expired'] as const

type Minute = Readonly<Record<(typeof COUNTED)[number] | 'minute', number>> & { readonly wait: string; readonly work: string }

/** What happened in the last hour or day, the step that `now` (Unix seconds) is in included, without gaps. */
export function statistics(db: Connection, range: StatisticsRange, now: number): Statistics {
  const { step, points: count } = RANGES[range]
  const end = (Math.floor(now / step) + 1) * step
  const start = end - step * count
  const minutes = db
    .prepare(`SELECT minute, ${COUNTED.join(', ')}, wait, work FROM statistics WHERE minute >= ? AND minute < ? ORDER BY minute`)
    .all(start / 60, end / 60) as Minute[]
  const byStep = Map.groupBy(minutes, ({ minute }) => Math.floor((minute * 60 - start) / step))
  const points = Array.from({ length: count }, (_, i) => pointOf(start + i * step, byStep.get(i) ?? []))
  return { step, points, total: pointOf(start, minutes) }
}

function pointOf(at: number, minutes: readonly Minute[]): StatisticsPoint {
  const counts = Object.fromEntries(COUNTED.map((name) => [name, minutes.reduce((sum, minute) => sum + minute[name], 0)]))
  return {
    at,
    ...(counts as Record<(typeof COUNTED)[number], number>),
    wait: latencyOf(minutes.map(({ wait }) => wait)),
    work: latencyOf(minutes.map(({ work }) => work))
  }
}

function latencyOf(histograms: readonly string[]): StatisticsPoint['wait'] {
  const sum = new Histogram()
  for (const text of histograms) sum.add(text)
  return { count: sum.count, p50: sum.quantile(0.5), p95: sum.quantile(0.95) }
}
