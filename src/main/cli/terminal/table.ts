import { cleanLine } from './clean.ts'
import type { Paint } from './style.ts'
import { cutToWidth, padToWidth, textWidth } from './width.ts'

export interface Column {
  readonly title: string
  readonly align?: 'left' | 'right'
  /** The least columns that it may be cut to where a terminal is narrow; one without is never cut. */
  readonly shrinksTo?: number
}

/** Text as it came, or with a paint that is put on when it has been cut and filled up. */
export type Cell = string | { readonly text: string; readonly paint: Paint }

const GAP = '  '

/** Lines of aligned columns, the titles first. `width`: what they must fit into; undefined where nothing is cut. */
export function tableLines(
  columns: readonly Column[],
  rows: readonly (readonly Cell[])[],
  width: number | undefined,
  title: Paint
): string[] {
  const texts = rows.map((row) => row.map((cell) => cleanLine(textOf(cell))))
  const widths = columns.map(({ title }, i) => Math.max(textWidth(title), ...texts.map((row) => textWidth(row[i]!))))
  if (width !== undefined) shrink(columns, widths, width)
  const lines = rows.map((row, i) => line(columns, widths, texts[i]!, row.map(paintOf)))
  return [line(columns, widths, columns.map((column) => column.title), columns.map(() => title)), ...lines]
}

function line(columns: readonly Column[], widths: readonly number[], texts: readonly string[], paints: readonly Paint[]): string {
  const cells = texts.map((text, i) => {
    const isLast = i === texts.length - 1 && columns[i]!.align !== 'right'
    const cut = cutToWidth(text, widths[i]!)
    return paints[i]!(isLast ? cut : padToWidth(cut, widths[i]!, columns[i]!.align))
  })
  return cells.join(GAP).trimEnd()
}

/** Takes what is too much from the widest of those that may be cut, a column at a time. */
function shrink(columns: readonly Column[], widths: number[], width: number): void {
  let excess = widths.reduce((sum, each) => sum + each, GAP.length * (widths.length - 1)) - width
  while (excess > 0) {
    let widest = -1
    for (const [i, { shrinksTo }] of columns.entries()) {
      if (shrinksTo === undefined || widths[i]! <= shrinksTo) continue
      if (widest < 0 || widths[i]! > widths[widest]!) widest = i
    }
    if (widest < 0) return
    widths[widest]!--
    excess--
  }
}

function textOf(cell: Cell): string {
  return typeof cell === 'string' ? cell : cell.text
}

function paintOf(cell: Cell): Paint {
  return typeof cell === 'string' ? (text) => text : cell.paint
}
