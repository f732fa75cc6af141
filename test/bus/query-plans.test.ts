import Database from 'better-sqlite3'
import { expect, test } from 'vitest'
import { INTENTS_OF_GOAL, NEXT_GOALS } from '../../src/main/bus/goals.ts'
import { headQuery, TAKE } from '../../src/main/bus/intents/claim.ts'
import { FINISHED_BEFORE } from '../../src/main/bus/intents/retention.ts'
import { HOLD } from '../../src/main/bus/intents/settle.ts'
import { LEASES_ENDED, LIFETIMES_ENDED, NEXT_LEASE_END, NEXT_LIFETIME_END } from '../../src/main/bus/intents/sweep.ts'
import { DEAD_LETTERS, RECENT_INTENTS } from '../../src/main/bus/reading/admin-pages.ts'
import { DEAD_BEFORE } from '../../src/main/bus/reading/dead-groups.ts'
import { LATEST_DEAD, LATEST_FULFILLED } from '../../src/main/bus/reading/failures.ts'
import { LEASES_OF_KEY } from '../../src/main/bus/reading/keys.ts'
import { LINES, NEWEST } from '../../src/main/bus/reading/lists.ts'
import { higherQuery, soonerQuery } from '../../src/main/bus/reading/queue-position.ts'
import { chunkQuery, listedQuery, NUMBERS_BY_STATUS } from '../../src/main/bus/reading/search.ts'
import { OPEN_IN_LANE } from '../../src/main/bus/reading/summary.ts'
import { NEXT_LANE } from '../../src/main/bus/reading/waiting.ts'
import { LEASES } from '../../src/main/bus/reading/workforce.ts'
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

/** Values for all names that operators' questions have. */
const NAMED = {
  ...{ at: NOW, since: NOW, now: NOW, sooner: NOW, run_at: NOW, created_at: NOW },
  ...{ n: 1, rows: 1, least: 0, greatest: 1, numbers: '[]', lane: 1, priority: 1, claim_attempts: 0, most: 1 }
}
const CONDITION = { sql: `goal = 'resize'`, values: {}, columns: ['goal'] }
const BY_NUMBER = 'SEARCH intents USING INTEGER PRIMARY KEY (rowid=?)'

test.each([
  ['a step of a search, newest first', chunkQuery('newest', CONDITION, false), [NAMED], 'INTEGER PRIMARY KEY (rowid>? AND rowid<?)'],
  ['a step of a search, oldest first', chunkQuery('oldest', CONDITION, true), [NAMED], 'INTEGER PRIMARY KEY (rowid>? AND rowid<?)'],
  ['a step through dead letters', DEAD_BEFORE, [NAMED], 'INDEX intents_finished (status=? AND finished_at<?)'],
  ['the dead letters of the last hour', LATEST_DEAD, [NAMED], 'INDEX intents_finished (status=? AND finished_at>? AND finished_at<?)'],
  ['the latest fulfilled intents', LATEST_FULFILLED, [NOW], 'INDEX intents_finished (status=? AND finished_at>?)'],
  ['live leases', LEASES, [NOW], 'INDEX intents_lease (claim_expires_at>?)'],
  ['the leases of a key', LEASES_OF_KEY, ['main'], 'INDEX intents_lease (claim_expires_at>?)'],
  ['the next lane', NEXT_LANE, [1], 'COVERING INDEX intents_lane (lane>?)'],
  ['the size of a lane', OPEN_IN_LANE, [1], 'COVERING INDEX intents_lane (lane=?)'],
  ['what has a higher priority', higherQuery('intents_lane'), [NAMED], 'COVERING INDEX intents_lane (lane=? AND priority>?)'],
  ['the same for any goal', higherQuery('intents_wide_lane'), [NAMED], 'COVERING INDEX intents_wide_lane (wide_lane=? AND priority>?)'],
  ['what comes sooner', soonerQuery('intents_public_lane'), [NAMED], 'COVERING INDEX intents_public_lane (public_lane=? AND priority=? AND run_at<?)'],
  ['the same for any goal of a publisher', soonerQuery('intents_public_wide_lane'), [NAMED], 'COVERING INDEX intents_public_wide_lane (public_wide_lane=? AND priority=? AND run_at<?)']
])('for operators, %s is read along one index and sorted by nothing', (_name, sql, values, index) => {
  const plan = planOf(sql, values)
  expect(plan).toContain(`SEARCH intents USING ${index}`)
  expect(plan.join()).not.toMatch(/TEMP B-TREE|SCAN intents/)
})

test.each([
  ['the lines of a page', LINES, ['[]']],
  ['the check of listed intents', listedQuery(CONDITION.sql, false), [NAMED]]
])('for operators, %s looks at single rows', (_name, sql, values) => {
  expect(planOf(sql, values)[0]).toBe(BY_NUMBER)
})

test('for operators, the numbers of a rare status come from an index alone', () => {
  for (const sql of Object.values(NUMBERS_BY_STATUS)) expect(planOf(sql, [])).toEqual([expect.stringContaining('intents USING COVERING INDEX')])
  expect(planOf(NEWEST, [])).toEqual(['SCAN intents'])
})

test('retention finds what is over by an index', () => {
  const plan = planOf(FINISHED_BEFORE, [2, NOW, 200])
  expect(plan).toContainEqual(expect.stringMatching(/SEARCH intents USING COVERING INDEX intents_finished \(status=\? AND finished_at<\?\)/))
  expect(plan.join()).not.toMatch(/TEMP B-TREE|SCAN intents/)
})

test('cleanup looks at goals one after the other, and at the counts of each by its name', () => {
  expect(planOf(NEXT_GOALS, ['', '', 10])).toEqual(['SEARCH goals USING PRIMARY KEY ((namespace,goal)>(?,?))'])
  const plan = planOf(INTENTS_OF_GOAL, ['default', 'test'])
  expect(plan).toContain('SEARCH tally_base USING PRIMARY KEY (namespace=? AND goal=?)')
  expect(plan.join()).not.toMatch(/SCAN tally_base|AUTOMATIC/)
})
