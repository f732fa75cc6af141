import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Options } from './options.ts'
import type { Stress } from './stress.ts'

/** Milliseconds. */
interface Spread {
  readonly count: number
  readonly p50: number | null
  readonly p95: number | null
  readonly p99: number | null
}

/** What a run came to, as written to the report. */
export function summarize(stress: Stress, { profile, url, workers, intents }: Options, trouble: string | undefined) {
  const { publish, claim, emptyClaim, fulfill } = stress.client.times
  return {
    finishedAt: new Date().toISOString(),
    profile,
    url,
    workers,
    intents,
    ok: trouble === undefined && stress.isFaultless,
    ...(trouble !== undefined && { trouble }),
    published: stress.published.size,
    fulfilled: stress.fulfilled,
    fulfilledMoreThanOnce: stress.repeated,
    successRate: stress.fulfilled / intents,
    seconds: rounded(stress.seconds),
    intentsPerSecond: rounded(stress.fulfilled / stress.seconds),
    redelivered: stress.redelivered,
    leasesLost: stress.leasesLost,
    strangers: stress.strangers,
    retries: stress.client.retries,
    milliseconds: {
      publishToFulfilled: spread(stress.lifetimes),
      publish: spread(publish),
      claim: spread(claim),
      emptyClaim: spread(emptyClaim),
      fulfill: spread(fulfill)
    }
  }
}

export type Summary = ReturnType<typeof summarize>

export function summaryText(summary: Summary): string {
  const { fulfilled, intents, seconds, milliseconds } = summary
  const rate = (summary.successRate * 100).toFixed(fulfilled === intents ? 0 : 2)
  const names = {
    publishToFulfilled: 'publish to fulfilled',
    publish: 'POST /intent',
    claim: 'POST /claim, 200',
    emptyClaim: 'POST /claim, 204',
    fulfill: 'POST /fulfill'
  }
  const lines = [
    `Fulfilled exactly once  ${fulfilled - summary.fulfilledMoreThanOnce} of ${intents} (${rate} %)`,
    `Rate                    ${summary.intentsPerSecond} intents a second, ${seconds} s in all`
  ]
  const oddities = [
    [summary.fulfilledMoreThanOnce, 'fulfilled more than once'],
    [summary.redelivered, 'delivered again'],
    [summary.leasesLost, 'leases lost'],
    [summary.strangers, 'not published by this run'],
    [summary.retries, 'answers of a busy bus']
  ] as const
  for (const [count, name] of oddities) if (count > 0) lines.push(`${name}: ${count}`)
  lines.push('', `${'Milliseconds'.padEnd(24)}${['count', 'p50', 'p95', 'p99'].map(cell).join('')}`)
  for (const [name, title] of Object.entries(names)) {
    const { count, p50, p95, p99 } = milliseconds[name as keyof typeof names]
    lines.push(title.padEnd(24) + [count, p50, p95, p99].map((value) => cell(value?.toString() ?? '-')).join(''))
  }
  return `${lines.join('\n')}\n`
}

/** Makes the folder when needed. */
export function writeReport(path: string, summary: Summary): void {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, `${JSON.stringify(summary, undefined, 2)}\n`)
}

function spread(samples: readonly number[]): Spread {
  const sorted = samples.toSorted((a, b) => a - b)
  const at = (q: number): number | null => {
    const value = sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))]
    return value === undefined ? null : rounded(value)
  }
  return { count: sorted.length, p50: at(0.5), p95: at(0.95), p99: at(0.99) }
}

/** To two decimals. */
function rounded(value: number): number {
  return Math.round(value * 100) / 100
}

function cell(text: string): string {
  return text.padStart(10)
}
