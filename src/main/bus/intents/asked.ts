import type { ClaimRequest } from '../../../shared/requests.ts'
import { PUBLIC_SCOPE } from '../store/lanes.ts'

const ANY_GOAL = [null] as const

/** The goals that a claim takes; null stands for all there are. */
export function goalsAsked({ goals }: ClaimRequest): readonly (string | null)[] {
  return goals.length === 0 ? ANY_GOAL : goals
}

/**
 * Whose intents a claim may take: a worker's own private ones and everybody's public ones; with a publisher (a public id,
 * else null), those of the publisher (SPEC 6.2).
 */
export function scopesAsked(keyId: string, publisherId: string | null): readonly [ofPrivate: string, ofPublic: string] {
  return publisherId === null ? [keyId, PUBLIC_SCOPE] : [publisherId, PUBLIC_SCOPE + publisherId]
}
