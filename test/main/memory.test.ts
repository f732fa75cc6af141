import { expect, test } from 'vitest'
import { THREAD_LIMITS } from '../../src/main/bus/memory.ts'
import { NODE_FLAGS } from '../support/bus-process.ts'

test('a bus without a window has the same bound for new objects as the thread of one with a window', () => {
  // V8 counts one of the three halves that a young generation has.
  expect(NODE_FLAGS).toEqual([`--max-semi-space-size=${THREAD_LIMITS.maxYoungGenerationSizeMb! / 3}`])
})
