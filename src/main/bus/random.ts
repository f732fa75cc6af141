import { randomFillSync } from 'node:crypto'

/** Where the bus gets chance from. Tests may pass a repeatable one. */
export interface Random {
  /** `bytes` random bytes as lowercase hex. */
  hex(bytes: number): string
  /** Uniform in [0, 1). */
  fraction(): number
}

/** One call for a whole pool: single calls for 16 bytes cost ten times as much. */
const POOL_BYTES = 16_384

export function systemRandom(): Random {
  const pool = Buffer.allocUnsafe(POOL_BYTES)
  let used = POOL_BYTES
  return {
    hex(bytes) {
      if (used + bytes > POOL_BYTES) {
        randomFillSync(pool)
        used = 0
      }
      const text = pool.toString('hex', used, used + bytes)
      pool.fill(0, used, used + bytes)
      used += bytes
      return text
    },
    fraction: Math.random
  }
}
