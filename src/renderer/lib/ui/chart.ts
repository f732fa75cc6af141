import uPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'

/** A line of a chart. `colour` is the name of a token: `--open`. */
export interface ChartSeries {
  readonly label: string
  readonly colour: string
  readonly isDashed?: boolean
  /** What stands beside the name while no point is pointed at: a value over the whole range. */
  readonly total: string
  readonly values: readonly (number | null)[]
}

/** A stretch of time that is set off from the rest. Unix seconds. */
export interface ChartBand {
  readonly from: number
  readonly to: number
}

export interface ChartData {
  /** Unix seconds, ascending. */
  readonly times: readonly number[]
  readonly series: readonly ChartSeries[]
  readonly bands: readonly ChartBand[]
}

export interface ChartOptions {
  readonly height: number
  /** A value of the vertical axis. */
  format(value: number): string
  formatTime(at: number): string
  /** Hears the index of the point under the pointer; null without one. */
  onPoint(index: number | null): void
}

export interface ChartHandle {
  setData(data: ChartData): void
  destroy(): void
}

/** Draws a chart into `host`, as wide as it is. Colours are read when it is made. */
export function createChart(host: HTMLElement, data: ChartData, options: ChartOptions): ChartHandle {
  const resolve = colourResolver(host)
  const line = resolve('--line')
  const text = resolve('--text-faint')
  const font = `11px ${getComputedStyle(host).fontFamily}`
  const axis = { stroke: text, font, grid: { stroke: line, width: 1 }, ticks: { show: false } }
  let { bands } = data
  const plot = new uPlot(
    {
      width: host.clientWidth,
      height: options.height,
      legend: { show: false },
      padding: [8, 18, 0, 0],
      cursor: { y: false, drag: { setScale: false, x: false, y: false }, points: { size: 6 } },
      scales: { y: { range: (_self, _min, max) => [0, niceTop(max)] } },
      axes: [
        { ...axis, grid: { show: false }, gap: 4, size: 24, space: 72, values: (_self, splits) => splits.map(options.formatTime) },
        { ...axis, gap: 4, size: 52, space: 32, values: (_self, splits) => splits.map(options.format) }
      ],
      series: [
        {},
        ...data.series.map(({ label, colour, isDashed }) => ({
          label,
          stroke: resolve(colour),
          width: 1.5,
          ...(isDashed && { dash: [4, 3] }),
          points: { show: true, size: 4, filter: lonely }
        }))
      ],
      hooks: {
        drawClear: [(plot) => drawBands(plot, bands, line)],
        setCursor: [({ cursor }) => options.onPoint(cursor.idx ?? null)]
      }
    },
    aligned(data),
    host
  )
  const resizing = new ResizeObserver(() => plot.setSize({ width: host.clientWidth, height: options.height }))
  resizing.observe(host)
  return {
    setData(next) {
      bands = next.bands
      plot.setData(aligned(next))
    },
    destroy: () => {
      resizing.disconnect()
      plot.destroy()
    }
  }
}

/** Pixels of the screen that a band has at least, so that a short one shows. */
const MIN_BAND = 2

/** Behind the lines. */
function drawBands(plot: uPlot, bands: readonly ChartBand[], colour: string): void {
  const { left, top, width, height } = plot.bbox
  plot.ctx.save()
  plot.ctx.fillStyle = colour
  for (const { from, to } of bands) {
    const end = Math.min(left + width, plot.valToPos(to, 'x', true))
    const start = Math.min(end - MIN_BAND * devicePixelRatio, Math.max(left, plot.valToPos(from, 'x', true)))
    if (end > left) plot.ctx.fillRect(start, top, end - start, height)
  }
  plot.ctx.restore()
}

/** Points without neighbours: no line shows them. */
function lonely(plot: uPlot, series: number): number[] {
  const values = plot.data[series]!
  return [...values.keys()].filter((i) => values[i] != null && values[i - 1] == null && values[i + 1] == null)
}

function aligned({ times, series }: ChartData): uPlot.AlignedData {
  return [[...times], ...series.map(({ values }) => [...values])]
}

/** An empty chart still has an axis. */
function niceTop(max: number | null): number {
  return max === null || max <= 0 ? 1 : max * 1.1
}

/** Canvas knows no custom properties: an element wears each token once and tells what colour it became. */
function colourResolver(host: HTMLElement): (token: string) => string {
  return (token) => {
    const probe = document.createElement('i')
    probe.style.color = `var(${token})`
    host.append(probe)
    const colour = getComputedStyle(probe).color
    probe.remove()
    return colour
  }
}
