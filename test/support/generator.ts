export interface Generator {
  /** True with this probability. */
  chance(p: number): boolean
  /** An integer from 0 up to, not including, `n`. */
  below(n: number): number
  pick<T>(list: readonly T[]): T
}

/** A small repeatable generator: a failing seed can be run again. */
export function generator(seed: number): Generator {
  let state = seed
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
  return {
    chance: (p) => next() < p,
    below: (n) => Math.floor(next() * n),
    pick: (list) => list[Math.floor(next() * list.length)]!
  }
}
