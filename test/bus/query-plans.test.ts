import Database from 'better-sqlite3'
import { expect, test } from 'vitest'
import { headQuery, TAKE } from '../../src/main/bus/intents/claim.ts'
import { FINISHED_BEFORE } from '../../src/main/bus/intents/retention.ts'
import { HOLD } from '../../src/main/bus/intents/settle.ts'
import { LEASES_ENDED, LIFETIMES_ENDED, NEXT_LEASE_END, NEXT_LIFETIME_END } from '../../src/main/bus/intents/sweep.ts'
import { DEAD_LETTERS, RECENT_INTENTS } from '../../src/main/bus/reading/queries.ts'
import { openDatabase } from '../../src/main/bus/store/database.ts'
import { temporaryFolder } from '../support/folders.ts'

/** How SQLite would run a statement, a line per loop. */
function planOf(sql: string, values: readonly unknown[]): string[] {
  using folder = temporaryFolder()
  const db: Database.Database = openDatabase(`${folder.path}/plans.db`)
  const rows = db.prepare(`EXPLAIN QUERY PLAN ${sql}`).all(...values) as { detail: string }[]
  db.close()
  return rows.map(({ detail }) => detail)
}

const NOW = 1_790_000_000

test.each([
  ['a claim by goal', headQuery('intents_lane', 'lane'), [1, 1000], 'intents_lane (lane=? AND priority<?)'],
  ['a claim of any goal', headQuery('intents_wide_lane', 'wide_lane'), [1, 1000], 'intents_wide_lane (wide_lane=? AND priority<?)'],
  ['a claim by publisher', headQuery('intents_public_lane', 'public_lane'), [1, 1000], 'intents_public_lane (public_lane=? AND priority<?)'],
  ['a claim by publisher of any goal', headQuery('intents_public_wide_lane', 'public_wide_lane'), [1, 1000], 'intents_public_wide_lane (public_wide_lane=? AND priority<?)'],
  ['the sweep of leases', LEASES_ENDED, [NOW, 10], 'intents_lease (claim_expires_at<?)'],
  ['the sweep of lifetimes', LIFETIMES_ENDED, [NOW, 10], 'intents_expiry (expires_at<?)']
])('%s walks one index and sorts nothing', (_name, sql, values, index) => {
  expect(planOf(sql, values)).toEqual([expect.stringMatching(/^SEARCH intents USING (COVERING )?INDEX /)])
  expect(planOf(sql, values)[0]!.endsWith(index)).toBe(true)
})

test.each([
  ['the next end of a lease', NEXT_LEASE_END, 'intents_lease'],
  ['the next end of a lifetime', NEXT_LIFETIME_END, 'intents_expiry']
])('%s is the first entry of an index', (_name, sql, index) => {
  expect(planOf(sql, [])).toEqual([`SCAN intents USING COVERING INDEX ${index}`])
})

test.each([
  ['taking an intent', TAKE, [NOW, NOW, 'main', '', null, '', '', 1]],
  ['looking at a lease', HOLD, [1]]
])('%s is one look at a row', (_name, sql, values) => {
  expect(planOf(sql, values)).toEqual(['SEARCH intents USING INTEGER PRIMARY KEY (rowid=?)'])
})

test('the newest intents and the newest dead letters are found without sorting the rest', () => {
  expect(planOf(RECENT_INTENTS, [50])).toEqual(['SCAN intents'])
  expect(planOf(DEAD_LETTERS, [100])).toEqual(['SEARCH intents USING INDEX intents_finished (status=?)'])
})

test('retention finds what is over by an index', () => {
  const plan = planOf(FINISHED_BEFORE, [2, NOW, 200])
  expect(plan).toContainEqual(expect.stringMatching(/SEARCH intents USING COVERING INDEX intents_finished \(status=\? AND finished_at<\?\)/))
  expect(plan.join()).not.toMatch(/TEMP B-TREE|SCAN intents/)
})
