import type { Latency } from '../../../shared/control/overview-views.ts'
import type { WorkerView } from '../../../shared/control/worker-views.ts'
import { counted, formatNumber } from '../../../shared/numbers.ts'
import { noteOf } from '../intents/words.ts'
import { cleanLine } from '../terminal/clean.ts'
import type { Style } from '../terminal/style.ts'
import { tableLines, type Cell, type Column } from '../terminal/table.ts'
import { clockTime, duration, relativeTime } from '../terminal/time.ts'
import { cutToWidth, padToWidth, textWidth } from '../terminal/width.ts'
import type { Size } from './screen.ts'
import { lastAt, type Snapshot } from './snapshot.ts'

const BARS = '▁▂▃▄▅▆▇█'
const MAX_ATTENTION = 3
const COUNTED = ['published', 'claimed', 'fulfilled', 'failed', 'dead', 'lost'] as const
const PACED = ['published', 'fulfilled'] as const
type Paced = (typeof PACED)[number]
const PRESENCE_ORDER = { online: 0, late: 1, gone: 2 } as const

/**
 * The dashboard as lines that fit into a size. What does not fit is left out from the bottom of each list: both get half
 * of the rows there are, and what one of them does not need goes to the other.
 */
export function dashboardLines(snapshot: Snapshot, size: Size, style: Style, footer: Cell): string[] {
  const head = [
    titleLine(snapshot, size, style),
    '',
    countsLine(snapshot, size, style),
    ...paceLines(snapshot, size, style),
    ...attentionLines(snapshot, size, style)
  ]
  const workers = workerLines(snapshot, size, style)
  const failures = failureLines(snapshot, size, style)
  const room = size.rows - head.length - 1
  const forWorkers = Math.min(workers.length, Math.max(Math.floor(room / 2), room - failures.length))
  const lines = [...head, ...workers.slice(0, forWorkers), ...failures]
  const shown = lines.slice(0, Math.max(0, size.rows - 1))
  const { text, paint } = typeof footer === 'string' ? { text: footer, paint: style.dim } : footer
  return [...shown, paint(cutToWidth(cleanLine(text), size.columns))].slice(0, size.rows)
}

function titleLine({ status, at }: Snapshot, { columns }: Size, style: Style): string {
  const { app, listener, isPaused, isMaintenance, state } = status
  const condition = isMaintenance ? 'maintenance' : isPaused ? 'paused' : state
  const where = listener?.state === 'listening' ? `  ${listener.url}` : ''
  const left = cutToWidth(cleanLine(`${app.name} ${app.version}${where}  ${condition}`), columns - 10)
  const paint = condition === 'running' ? style.bold : style.yellow
  return paint(left) + style.dim(`${' '.repeat(Math.max(2, columns - textWidth(left) - 8))}${clockTime(at)}`)
}

function countsLine({ overview, at }: Snapshot, { columns }: Size, style: Style): string {
  const { counts, oldestWaiting } = overview
  const paints = { open: style.blue, claimed: style.yellow, fulfilled: style.green, dead: style.red, expired: style.dim }
  const pieces = Object.entries(paints).map(([name, paint]) => {
    const text = `${formatNumber(counts[name as keyof typeof counts])} ${name}`
    return { width: textWidth(text), text: paint(text) }
  })
  if (oldestWaiting !== null) {
    const text = cleanLine(`oldest waits ${duration(Math.max(0, at - oldestWaiting.since))} (${oldestWaiting.goal})`)
    pieces.push({ width: textWidth(text), text })
  }
  return fitPieces(pieces, columns)
}

/** As many pieces as fit beside each other. */
function fitPieces(pieces: readonly { readonly width: number; readonly text: string }[], columns: number): string {
  let line = ''
  let width = 0
  for (const piece of pieces) {
    const gap = line === '' ? 0 : 3
    if (width + gap + piece.width > columns) break
    line += ' '.repeat(gap) + piece.text
    width += gap + piece.width
  }
  return line
}

function paceLines(snapshot: Snapshot, { columns }: Size, style: Style): string[] {
  const { total, points } = snapshot.statistics
  const hour = COUNTED.map((name) => `${formatNumber(total[name])} ${name}`)
  const paceLine = (name: Paced): string => {
    const bars = sparkline(points.map((point) => point[name]), Math.max(0, columns - 32))
    return `${padToWidth(name, 10)} ${padToWidth(formatNumber(perMinute(snapshot, name)), 7, 'right')}/min  ${bars}`
  }
  return [
    cutToWidth(`last hour: ${hour.join(', ')}`, columns),
    cutToWidth(`waiting ${latencyText(total.wait)}; working ${latencyText(total.work)}`, columns),
    ...PACED.map((name) => style.dim(cutToWidth(paceLine(name), columns)))
  ]
}

/** The last minute's: what the current point has, and of the one before as much as it lacks. */
function perMinute({ statistics, status }: Snapshot, name: Paced): number {
  const { points, step } = statistics
  const [before, latest] = points.slice(-2)
  if (before === undefined || latest === undefined) return 0
  const begun = Math.min(1, Math.max(0, (status.now - latest.at) / step))
  return ((latest[name] + before[name] * (1 - begun)) * 60) / step
}

function latencyText({ p50, p95 }: Latency): string {
  return p50 === null || p95 === null ? 'not measured' : `p50 ${duration(p50)}, p95 ${duration(p95)}`
}

/** One character for each of the last values; the highest is full. */
function sparkline(values: readonly number[], width: number): string {
  const shown = width === 0 ? [] : values.slice(-width)
  const highest = Math.max(1, ...shown)
  return shown.map((value) => BARS[Math.ceil((value / highest) * (BARS.length - 1))]).join('')
}

function attentionLines({ overview }: Snapshot, { columns }: Size, style: Style): string[] {
  return overview.attention.slice(0, MAX_ATTENTION).map(({ text }) => style.yellow(cutToWidth(`! ${cleanLine(text)}`, columns)))
}

function workerLines({ workers, at }: Snapshot, { columns }: Size, style: Style): string[] {
  const present = workers.filter(({ presence }) => presence !== 'gone')
  const title = `Workers: ${formatNumber(present.length)} there, ${formatNumber(workers.length - present.length)} gone`
  if (workers.length === 0) return ['', style.bold('Workers: none has asked for anything yet')]
  const shape: Column[] = [
    { title: 'WORKER', shrinksTo: 8 },
    { title: 'KEY', shrinksTo: 4 },
    { title: 'STATE' },
    { title: 'SEEN', align: 'right' },
    { title: 'HOLDS', shrinksTo: 5 },
    { title: 'DONE', align: 'right' },
    { title: 'FAILED', align: 'right' },
    { title: 'LOST', align: 'right' }
  ]
  const sorted = [...workers].sort((a, b) => PRESENCE_ORDER[a.presence] - PRESENCE_ORDER[b.presence])
  const paints = { online: style.green, late: style.yellow, gone: style.dim }
  const rows = sorted.map((worker): Cell[] => [
    worker.worker ?? worker.address,
    worker.keyOwner || worker.key,
    { text: worker.presence, paint: paints[worker.presence] },
    relativeTime(worker.lastSeenAt, at),
    heldText(worker),
    ...[worker.fulfilled, worker.failed, worker.lost].map(formatNumber)
  ])
  return ['', style.bold(cutToWidth(title, columns)), ...tableLines(shape, rows, columns, style.dim)]
}

function heldText({ holds }: WorkerView): string {
  const [first] = holds
  if (first === undefined) return '-'
  return holds.length === 1 ? first.goal : `${first.goal} and ${holds.length - 1} more`
}

function failureLines({ failures, at }: Snapshot, { columns }: Size, style: Style): string[] {
  if (failures.length === 0) return ['', style.bold('Latest failures: none')]
  const shape: Column[] = [
    { title: 'WHEN', align: 'right' },
    { title: 'STATUS' },
    { title: 'GOAL', shrinksTo: 8 },
    { title: 'TRIES', align: 'right' },
    { title: 'ERROR', shrinksTo: 8 }
  ]
  const rows = failures.map((row): Cell[] => [
    relativeTime(lastAt(row), at),
    { text: row.status, paint: row.status === 'dead' ? style.red : style.yellow },
    row.goal,
    `${row.attempts}/${row.maxAttempts}`,
    row.status === 'dead' ? (row.error ?? '') : noteOf(row, at)
  ])
  const title = `Latest failures: ${counted(failures.length, 'intent')}`
  return ['', style.bold(cutToWidth(title, columns)), ...tableLines(shape, rows, columns, style.dim)]
}
