import { hash } from 'node:crypto'
import { TICKS_PER_MS } from '../ids.ts'

/** Seconds that the clock of another machine may be ahead. */
const TOLERANCE = 86_400
/** Ids that are counted up within a millisecond seldom get so far. */
const ASIDE = TICKS_PER_MS / 2
/** Places that are tried when others are there already. */
const ATTEMPTS = 8

/**
 * Where an intent may stand in the order of age, best first. Two machines may have given out the same number: then it stands
 * a little aside, where it is found again when the same file is imported once more.
 */
export function placesOf(n: number, tail: string): number[] {
  const millisecond = n - (n % TICKS_PER_MS)
  const aside = chance(tail, ASIDE)
  return [n, ...Array.from({ length: ATTEMPTS }, (_, i) => millisecond + ASIDE + ((aside + i) % ASIDE))]
}

/** The place and the second half of the id for an intent of the reference server, whose ids are all chance. */
export function placeOfForeign(id: string, createdAt: number): { n: number; tail: string } {
  const tail = /^[0-9a-f]{32}$/.test(id) ? id.slice(14) : hash('sha256', id, 'hex').slice(0, 18)
  return { n: Math.floor(createdAt * 1000) * TICKS_PER_MS + chance(id, ASIDE), tail }
}

/** The greatest place that an import may take: what is published later stands behind it. */
export function greatestPlace(now: number): number {
  return Math.floor((now + TOLERANCE) * 1000) * TICKS_PER_MS
}

interface Placed {
  readonly n: number
  readonly created_at: number
}

export function isFromTomorrow({ n, created_at }: Placed, now: number): boolean {
  return n > greatestPlace(now) || created_at > now + TOLERANCE
}

/** When such an intent says that it was published. */
export function tomorrowOf({ n, created_at }: Placed): string {
  const at = Math.max(created_at * 1000, n / TICKS_PER_MS)
  return at <= 8.64e15 ? new Date(at).toISOString() : 'the far future'
}

/** A number below `limit` that always is the same for a text. */
function chance(text: string, limit: number): number {
  return parseInt(hash('sha256', text, 'hex').slice(0, 8), 16) % limit
}
