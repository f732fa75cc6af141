import type { GapView } from '../../../shared/control/intent-views.ts'
import type { Statistics, StatisticsPoint } from '../../../shared/control/overview-views.ts'
import { counted, formatNumber } from '../../lib/text/numbers.ts'
import { fullDuration } from '../../lib/text/time.ts'
import type { ChartBand, ChartSeries } from '../../lib/ui/chart.ts'

type Measure<T> = (point: StatisticsPoint) => T

/** Events a minute, and how many over the whole range. */
export function ratesOf({ step, points, total }: Statistics): ChartSeries[] {
  const line = (label: string, colour: string, count: Measure<number>): ChartSeries => ({
    label,
    colour,
    total: formatNumber(count(total)),
    values: points.map((point) => (count(point) * 60) / step)
  })
  return [
    line('Published', '--open', ({ published }) => published),
    line('Fulfilled', '--fulfilled', ({ fulfilled }) => fulfilled),
    { ...line('Failed or lost', '--claimed', ({ failed, lost }) => failed + lost), isDashed: true },
    line('Dead', '--dead', ({ dead }) => dead)
  ]
}

/** Seconds, of each step and over the whole range. */
export function latenciesOf({ points, total }: Statistics): ChartSeries[] {
  const line = (label: string, colour: string, seconds: Measure<number | null>, isDashed: boolean): ChartSeries => ({
    label,
    colour,
    isDashed,
    total: say(seconds(total), '–'),
    values: points.map(seconds)
  })
  return [
    line('Wait p50', '--open', ({ wait }) => wait.p50, false),
    line('Wait p95', '--open', ({ wait }) => wait.p95, true),
    line('Work p50', '--fulfilled', ({ work }) => work.p50, false),
    line('Work p95', '--fulfilled', ({ work }) => work.p95, true)
  ]
}

/** The chart of rates in words. */
export function rateSummary({ published, fulfilled, failed, lost, dead }: StatisticsPoint): string {
  const done = `${counted(published, 'intent')} published, ${formatNumber(fulfilled)} fulfilled`
  return `${done}, ${counted(failed, 'attempt')} failed, ${counted(lost, 'lease')} lost, ${counted(dead, 'dead letter')}.`
}

/** The chart of latencies in words. */
export function latencySummary({ wait, work }: StatisticsPoint): string {
  const none = 'nothing measured'
  return (
    `From claimable to claimed: half within ${say(wait.p50, none)}, 95% within ${say(wait.p95, none)}. ` +
    `From claimed to settled: half within ${say(work.p50, none)}, 95% within ${say(work.p95, none)}.`
  )
}

/** When the machine slept within the range of the statistics. */
export function sleepsOf(gaps: readonly GapView[], { total }: Statistics): ChartBand[] {
  const sleeps = gaps.filter(({ cause, at }) => cause === 'sleep' && at > total.at)
  return sleeps.map(({ at, seconds }) => ({ from: Math.max(total.at, at - seconds), to: at }))
}

/** The same in words; empty where it did not sleep. */
export function sleepSummary(sleeps: readonly ChartBand[]): string {
  if (sleeps.length === 0) return ''
  const length = fullDuration(Math.round(sleeps.reduce((sum, { from, to }) => sum + to - from, 0)))
  return `The bus’s machine slept ${sleeps.length === 1 ? `for ${length}` : `${formatNumber(sleeps.length)} times, for ${length} in all`}.`
}

/** Whether anything happened at all. */
export function isQuiet({ published, claimed, fulfilled, failed, dead, lost, expired }: StatisticsPoint): boolean {
  return published + claimed + fulfilled + failed + dead + lost + expired === 0
}

function say(seconds: number | null, otherwise: string): string {
  return seconds === null ? otherwise : fullDuration(seconds)
}
