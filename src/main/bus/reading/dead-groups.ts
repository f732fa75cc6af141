import { escapeGlob } from '../../../shared/control/filter/glob.ts'
import type { DeadGroup } from '../../../shared/control/intent-views.ts'
import { formatId } from '../ids.ts'
import type { Connection } from '../store/database.ts'
import { ChunkSize, type Share } from './turns.ts'

const MAX_GROUPS = 100
/** Goals that a group names. */
const MAX_GOALS = 20
/** Reasons whose pattern is kept while a question runs. */
const MAX_KNOWN = 10_000

const FIRST_CHUNK = 1_000

export const DEAD_BEFORE = `
  SELECT n, tail, goal, finished_at, last_error FROM intents INDEXED BY intents_finished
  WHERE status >= 2 AND status = 3 AND finished_at <= @at AND (finished_at < @at OR n < @n)
  ORDER BY finished_at DESC, n DESC LIMIT @rows`

/** What differs from one failure to the next of its kind. */
const VARIABLES = new RegExp(
  [
    // No filter can look for it within a text.
    String.raw`\0`,
    String.raw`"[^"\n]*"`,
    // An apostrophe within a word opens nothing.
    String.raw`(?<!\w)'[^'\n]*'(?!\w)`,
    '`[^`\\n]*`',
    String.raw`\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b`,
    String.raw`\b0x[0-9a-f]+\b`,
    String.raw`\b(?=[a-f]*\d)[0-9a-f]{6,}\b`,
    String.raw`\d+(?:[.,:]\d+)*`
  ].join('|'),
  'gi'
)

type Row = [n: number, tail: string, goal: string, finishedAt: number, reason: string]

interface Group {
  readonly pattern: string
  readonly lastAt: number
  readonly lastId: string
  readonly goals: Set<string>
  count: number
}

/** Dead letters by what is the same in their reasons, those of the newest first. */
export async function deadGroups(db: Connection, share: Share): Promise<DeadGroup[]> {
  const statement = db.prepare(DEAD_BEFORE).raw()
  const groups = new Map<string, Group>()
  const patterns = new Map<string, string>()
  const chunk = new ChunkSize(FIRST_CHUNK)
  let place = { at: Infinity, n: Infinity }
  for (let isDone = false; !isDone; ) {
    isDone = await share.turn(() =>
      chunk.measure((rows) => {
        const dead = statement.all({ ...place, rows }) as Row[]
        for (const row of dead) note(groups, patterns, row)
        const last = dead.at(-1)
        if (last !== undefined) place = { at: last[3], n: last[0] }
        return dead.length < rows
      })
    )
  }
  return [...groups.values()].map(({ goals, ...group }) => ({ ...group, goals: [...goals] }))
}

/** A reason as a pattern for `error:` of a filter, with `*` for what differs. */
export function reasonPattern(reason: string): string {
  const pieces = reason.split(VARIABLES)
  // Of variables with nothing but space between them one is enough.
  const told = pieces.filter((piece, i) => i === 0 || i === pieces.length - 1 || piece.trim() !== '')
  return told.map(escapeGlob).join('*')
}

/** They come newest first: a group that begins when there are enough of them is older than all of these. */
function note(groups: Map<string, Group>, patterns: Map<string, string>, [n, tail, goal, lastAt, reason]: Row): void {
  const pattern = patterns.get(reason) ?? reasonPattern(reason)
  if (patterns.size < MAX_KNOWN) patterns.set(reason, pattern)
  const group = groups.get(pattern)
  if (group !== undefined) {
    group.count++
    if (group.goals.size < MAX_GOALS) group.goals.add(goal)
  } else if (groups.size < MAX_GROUPS) {
    groups.set(pattern, { pattern, count: 1, goals: new Set([goal]), lastAt, lastId: formatId(n, tail) })
  }
}
