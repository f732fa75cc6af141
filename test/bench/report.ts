/** A ratio of two figures that were measured side by side, or another figure with an aim. */
export interface Ratio {
  readonly name: string
  readonly value: number
  readonly aim?: Aim
}

/** What a figure should be; missing it is told, never punished. */
export interface Aim {
  readonly atLeast?: number
  readonly atMost?: number
}

export interface Table {
  readonly title: string
  readonly columns: readonly string[]
  readonly rows: readonly (readonly string[])[]
}

/** What a section of the benchmark found: for people, and `figures` for the JSON file. */
export interface Findings {
  readonly tables: readonly Table[]
  readonly ratios: readonly Ratio[]
  readonly figures: unknown
}

/** Readable text: the first column to the left, the others to the right. */
export function tableText({ title, columns, rows }: Table): string {
  const widths = columns.map((column, i) => Math.max(column.length, ...rows.map((row) => row[i]!.length)))
  const line = (cells: readonly string[]): string =>
    cells.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join('  ')
  const rule = widths.map((width) => '-'.repeat(width)).join('  ')
  return `${[title, line(columns), rule, ...rows.map(line)].map((text) => `  ${text.trimEnd()}`).join('\n')}\n`
}

export function ratioTable(ratios: readonly Ratio[]): Table {
  return {
    title: 'Aims',
    columns: ['', 'value', 'aim', 'reached'],
    rows: ratios.map(({ name, value, aim }) => {
      const reached = isReached(value, aim)
      return [name, number(value), aimText(aim), reached === undefined ? '' : reached ? 'yes' : 'NO']
    })
  }
}

/** undefined when there is no aim. */
export function isReached(value: number, aim: Aim | undefined): boolean | undefined {
  if (aim === undefined) return undefined
  return value >= (aim.atLeast ?? -Infinity) && value <= (aim.atMost ?? Infinity)
}

function aimText(aim: Aim | undefined): string {
  if (aim?.atLeast !== undefined) return `>= ${aim.atLeast}`
  return aim?.atMost === undefined ? '' : `<= ${aim.atMost}`
}

/** Three significant digits, thousands apart. */
export function number(value: number): string {
  if (!Number.isFinite(value)) return '-'
  const digits = value >= 100 ? 0 : value >= 10 ? 1 : 2
  return value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits })
}

/** A whole number, thousands apart. */
export function count(value: number): string {
  return value.toLocaleString('en-US')
}
