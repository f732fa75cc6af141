import type { AuditView } from '../../../shared/control/network-views.ts'
import type { GapView } from '../../../shared/control/intent-views.ts'
import { fullDuration } from '../../lib/text/time.ts'
import type { KeyNames } from '../intents/detail/names.ts'
import { actorWords, auditSentence, isOfKind, isWarning, type AuditKind } from './sentences.ts'

/** A line of the trail: what somebody did, or a time in which nothing could run. */
export interface TrailLine {
  readonly key: string
  /** Unix seconds. */
  readonly at: number
  readonly text: string
  readonly isWarning: boolean
  /** Who it was; null for what nobody did. */
  readonly who: string | null
  /** Empty where it was this machine's own app, or nobody. */
  readonly address: string
}

interface Trail {
  /** Newest first. */
  readonly entries: readonly AuditView[]
  /** Whether there are older ones than these. */
  readonly hasMore: boolean
  readonly gaps: readonly GapView[]
}

/** The lines of a part of the trail, newest first; gaps as far back as the entries go. `nameOf`: owners of keys by their ids. */
export function linesOf({ entries, hasMore, gaps }: Trail, kind: AuditKind, nameOf: KeyNames): TrailLine[] {
  const told = entries.filter((entry) => isOfKind(entry, kind)).map((entry) => lineOfEntry(entry, nameOf))
  if (kind !== 'all' && kind !== 'bus') return told
  const oldest = hasMore ? (entries.at(-1)?.at ?? 0) : 0
  // A restore is an entry already.
  const slept = gaps.filter(({ at, cause }) => at >= oldest && cause !== 'restore').map(lineOfGap)
  return [...told, ...slept].sort((a, b) => b.at - a.at)
}

function lineOfEntry(entry: AuditView, nameOf: KeyNames): TrailLine {
  const { n, at, actor, address } = entry
  return { key: String(n), at, text: auditSentence(entry, nameOf), isWarning: isWarning(entry), who: actorWords(actor, nameOf), address }
}

function lineOfGap({ at, seconds, cause }: GapView): TrailLine {
  const length = fullDuration(Math.round(Math.abs(seconds)))
  const text =
    cause === 'sleep'
      ? `The bus’s machine slept for ${length}; leases and lifetimes stood still.`
      : `The clock was set ${seconds < 0 ? 'back' : 'forward'} by ${length}; leases and lifetimes are as long as before.`
  return { key: `gap ${at} ${cause}`, at, text, isWarning: false, who: null, address: '' }
}
