/** What a key may do beyond SPEC: nothing here, less at most. `operate` alone is more: SPEC gives that to no key. */
export const ROLES = ['publish', 'claim', 'read', 'operate'] as const
export type Role = (typeof ROLES)[number]

/** Names or patterns of one kind that a scope holds at most. */
export const MAX_SCOPE_NAMES = 32

/** Characters of a pattern for goals. */
export const MAX_GOAL_PATTERN = 512

/** Limits of a key; null where there is none, and then the key does what SPEC says. */
export interface Scope {
  /** `publish`: POST /intent; `claim`: /claim and what its leases need; `read`: results, statuses and events. Any one of these
   * three brings the key-value store, /set as well as /get. `operate`: what operators watch, publish, cancel and retry. */
  readonly roles: readonly Role[] | null
  /** Namespaces that it may publish to and claim from, as they are. */
  readonly namespaces: readonly string[] | null
  /** Goals that it may publish and claim, as patterns: `*` stands for any characters, `?` for one. */
  readonly goals: readonly string[] | null
}

/** The limits of a key that its owner can change. */
export interface KeyLimits {
  readonly scope: Scope | null
  /** Unix seconds from which on it is refused; null for never. */
  readonly expiresAt: number | null
  /** Requests a minute; null for SPEC's sixty. */
  readonly rateLimit: number | null
}

/** Requests a minute that a key may be given. */
export const KEY_RATE = { min: 1, max: 100_000 } as const

export const NO_LIMITS: KeyLimits = { scope: null, expiresAt: null, rateLimit: null }
