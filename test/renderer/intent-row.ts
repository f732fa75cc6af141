import type { IntentRow } from '../../src/shared/control/intent-views.ts'

/** A row of an open intent, with what is told of it. */
export function rowOf(row: Partial<IntentRow>): IntentRow {
  return {
    id: '0'.repeat(32),
    namespace: 'default',
    goal: 'resize',
    status: 'open',
    priority: 100,
    attempts: 0,
    maxAttempts: 3,
    createdAt: 1_000,
    runAt: 1_000,
    expiresAt: 90_000,
    leaseEndsAt: null,
    finishedAt: null,
    publisher: 'main',
    worker: null,
    claimedBy: null,
    target: null,
    capability: null,
    error: null,
    ...row
  }
}
