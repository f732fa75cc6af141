import type { IntentChange, IntentPage, IntentRow, StatusName } from '../../../../shared/control/intent-views.ts'

const FINAL: readonly StatusName[] = ['fulfilled', 'dead', 'expired']

/** The row after a change of it. */
export function applyChange(row: IntentRow, change: IntentChange): IntentRow {
  const { status, at, event } = change
  const isOpen = status === 'open'
  return {
    ...row,
    status,
    attempts: change.attempts ?? row.attempts,
    runAt: change.runAt ?? row.runAt,
    leaseEndsAt: status === 'claimed' ? (change.leaseEndsAt ?? row.leaseEndsAt) : null,
    finishedAt: !FINAL.includes(status) ? null : row.status === status ? row.finishedAt : at,
    // The change tells who let go of it; what is open has no worker any more.
    worker: isOpen ? null : change.worker === undefined ? row.worker : change.worker,
    claimedBy: event === 'claimed' ? (change.key ?? row.claimedBy) : status === 'claimed' ? row.claimedBy : null,
    error: change.error === undefined ? row.error : change.error
  }
}

/**
 * Rows as the bus tells them now, in the places where they were. `gone`: ids of rows that the answer would hold if they
 * still matched; their rows stay. What has come to match meanwhile waits until the list is opened again.
 */
export function mergeRows(rows: readonly IntentRow[], { rows: answered, next }: IntentPage): { rows: IntentRow[]; gone: string[] } {
  const fresh = new Map(answered.map((row) => [row.id, row]))
  const last = answered.at(-1)?.id ?? ''
  const isCovered = (id: string): boolean => next === null || id >= last
  return {
    rows: rows.map((row) => fresh.get(row.id) ?? row),
    gone: rows.flatMap(({ id }) => (!fresh.has(id) && isCovered(id) ? [id] : []))
  }
}
