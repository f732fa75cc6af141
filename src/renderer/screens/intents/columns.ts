/** What a row shows; the order is that on screen. */
export type ColumnName = 'select' | 'status' | 'goal' | 'namespace' | 'id' | 'age' | 'attempts' | 'worker' | 'when' | 'error'

export interface Column {
  readonly name: ColumnName
  readonly label: string
  /** As CSS says it for grids. */
  readonly track: string
  /** Pixels that the list must be wide for this column to be there. */
  readonly from: number
}

/** Narrower than this there are two lines to a row and no columns. Pixels. */
const COMPACT_BELOW = 520

const COLUMNS: readonly Column[] = [
  { name: 'select', label: 'Select', track: '48px', from: 0 },
  { name: 'status', label: 'Status', track: '96px', from: 0 },
  { name: 'goal', label: 'Goal', track: 'minmax(132px, 2.5fr)', from: 0 },
  { name: 'namespace', label: 'Namespace', track: 'minmax(72px, 1fr)', from: 860 },
  { name: 'id', label: 'Id', track: '112px', from: 1_200 },
  { name: 'age', label: 'Age', track: '64px', from: 0 },
  { name: 'attempts', label: 'Attempts', track: '72px', from: 720 },
  { name: 'worker', label: 'Worker', track: 'minmax(80px, 1fr)', from: 780 },
  { name: 'when', label: 'When', track: '112px', from: 0 },
  { name: 'error', label: 'Error', track: 'minmax(96px, 2.5fr)', from: 640 }
]

/** Columns for a list of this width in pixels; null for rows of two lines. */
export function columnsFor(width: number): readonly Column[] | null {
  return width < COMPACT_BELOW ? null : COLUMNS.filter(({ from }) => width >= from)
}

/** The columns as `grid-template-columns`. */
export function tracksOf(columns: readonly Column[]): string {
  return columns.map(({ track }) => track).join(' ')
}
