import { describe, expect, test } from 'vitest'
import { checkLimits } from '../../src/main/bus/key-limits.ts'
import { checkPublish, checkRead, checkSettle, checkStore, limitClaim, mayOperate, permitsClaim } from '../../src/main/bus/scopes.ts'
import { NO_LIMITS, ROLES, type KeyLimits, type Role, type Scope } from '../../src/shared/scope.ts'
import { CLAIM, PUBLISH } from '../support/test-bus.ts'

const NOTHING: Scope = { roles: null, namespaces: null, goals: null }

function limited(scope: Partial<Scope>): { limits: KeyLimits } {
  return { limits: { ...NO_LIMITS, scope: { ...NOTHING, ...scope } } }
}

/** What is asked of a key with these limits, and whether it may. */
function outcome(ask: () => unknown): string {
  try {
    ask()
    return 'may'
  } catch (error) {
    const { code, message } = error as { code: string; message: string }
    expect(code).toBe('forbidden')
    return message
  }
}

const ACTIONS = {
  publish: (key: { limits: KeyLimits }) => checkPublish(key, PUBLISH),
  claim: (key: { limits: KeyLimits }) => limitClaim(key, CLAIM),
  settle: checkSettle,
  read: checkRead,
  store: checkStore
} as const

test.each<[roles: readonly Role[] | null, may: readonly (keyof typeof ACTIONS)[]]>([
  [null, ['publish', 'claim', 'settle', 'read', 'store']],
  [['publish'], ['publish', 'store']],
  [['claim'], ['claim', 'settle', 'store']],
  [['read'], ['read', 'store']],
  [['publish', 'read'], ['publish', 'read', 'store']],
  [['operate'], []],
  [['operate', 'claim'], ['claim', 'settle', 'store']],
  [ROLES, ['publish', 'claim', 'settle', 'read', 'store']]
])('the roles %j give %j and nothing else', (roles, may) => {
  const allowed = Object.entries(ACTIONS).filter(([, ask]) => outcome(() => ask(limited({ roles }))) === 'may')
  expect(allowed.map(([name]) => name)).toEqual(may)
})

test('only the role of an operator lets a key operate', () => {
  expect(mayOperate({ limits: NO_LIMITS })).toBe(false)
  expect(ROLES.filter((role) => mayOperate(limited({ roles: [role] })))).toEqual(['operate'])
})

test.each<[what: string, action: keyof typeof ACTIONS, scope: Partial<Scope>, message: string]>([
  ['publish', 'publish', { roles: ['read'] }, 'This API key may not publish intents.'],
  ['claim', 'claim', { roles: ['read'] }, 'This API key may not claim intents.'],
  ['settle', 'settle', { roles: ['publish'] }, 'This API key may not settle or extend claims.'],
  ['read', 'read', { roles: ['claim'] }, 'This API key may not read results, statuses and events.'],
  ['use the store', 'store', { roles: ['operate'] }, 'This API key may not use the key-value store.'],
  ['publish elsewhere', 'publish', { namespaces: ['shop'] }, 'This API key may not publish to the namespace default.'],
  ['claim elsewhere', 'claim', { namespaces: ['shop'] }, 'This API key may not claim from the namespace default.'],
  ['publish something else', 'publish', { goals: ['resize.*'] }, 'This API key may not publish the goal test.'],
  ['claim anything', 'claim', { goals: ['resize.*'] }, 'This API key may not claim any goal: its claims must name theirs.']
])('a key that may not %s is told so', (_what, action, scope, message) => {
  expect(outcome(() => ACTIONS[action](limited(scope)))).toBe(message)
})

describe('goals', () => {
  test.each<[patterns: readonly string[], goal: string, may: boolean]>([
    [['test'], 'test', true],
    [['test'], 'test2', false],
    [['test'], 'Test', false],
    [['*'], 'anything at all', true],
    [['resize.*'], 'resize.image', true],
    [['resize.*'], 'resize', false],
    [['resize.?'], 'resize.x', true],
    [['resize.?'], 'resize.xy', false],
    [['a', 'b*'], 'bee', true],
    [['a.c'], 'abc', false],
    [['[a-z]+'], 'abc', false],
    [['a\\*c'], 'a*c', true],
    [['a\\*c'], 'abc', false],
    [['?'], '🐝', true],
    [['*'], 'a\nb', true]
  ])('%j and %j: %s', (patterns, goal, may) => {
    const key = limited({ goals: patterns })
    expect(outcome(() => checkPublish(key, { ...PUBLISH, goal })) === 'may').toBe(may)
    expect(outcome(() => limitClaim(key, { ...CLAIM, goals: [goal] })) === 'may').toBe(may)
    expect(permitsClaim(key.limits, 'default', goal)).toBe(may)
  })

  test('a pattern that is all stars is matched in no time', () => {
    const key = limited({ goals: [`${'*a'.repeat(200)}b`] })
    const startedAt = performance.now()
    expect(outcome(() => checkPublish(key, { ...PUBLISH, goal: 'a'.repeat(256) }))).not.toBe('may')
    expect(performance.now() - startedAt).toBeLessThan(200)
  })

  test('a claim without goals takes those of its key, where these are plain names', () => {
    expect(limitClaim(limited({ goals: ['a', 'b\\*'] }), CLAIM).goals).toEqual(['a', 'b*'])
    expect(limitClaim(limited({ goals: ['a', 'b'] }), { ...CLAIM, goals: ['b'] }).goals).toEqual(['b'])
    expect(outcome(() => limitClaim(limited({ goals: ['a', 'b*'] }), CLAIM))).toMatch(/must name theirs/)
    expect(limitClaim(limited({ namespaces: ['default'] }), CLAIM)).toBe(CLAIM)
    expect(limitClaim({ limits: NO_LIMITS }, CLAIM)).toBe(CLAIM)
  })

  test('each of several goals must be one of the key', () => {
    const key = limited({ goals: ['a', 'b'] })
    expect(outcome(() => limitClaim(key, { ...CLAIM, goals: ['a', 'c'] }))).toBe('This API key may not claim the goal c.')
  })

  test('goals that are filled in are not more than a claim may ask for', () => {
    const goals = Array.from({ length: 32 }, (_, i) => `goal-${i}`)
    const claim = (capabilities: readonly string[]) => limitClaim(limited({ goals }), { ...CLAIM, capabilities })
    expect(claim(['a', 'b', 'c', 'd']).goals).toEqual(goals)
    expect(() => claim(['a', 'b', 'c', 'd', 'e'])).toThrow('Goals times capabilities are limited to 128.')
  })
})

test.each<[scope: Partial<Scope>]>([[{ namespaces: ['default'] }], [{ goals: ['*'] }]])(
  'a key that operates cannot be limited to %j',
  (scope) => {
    const operating = limited({ roles: ['read', 'operate'], ...scope })
    expect(() => checkLimits(operating.limits)).toThrow(/cannot be limited to some of them/)
    const other = limited({ roles: ['read', 'claim'], ...scope })
    expect(checkLimits(other.limits)).toEqual(other.limits)
  }
)

test('a scope that limits nothing is none, and what is said twice counts once', () => {
  expect(checkLimits(limited({}).limits)).toEqual(NO_LIMITS)
  expect(checkLimits(limited({ roles: ['read', 'read'], goals: ['a', 'a'] }).limits).scope).toEqual({ ...NOTHING, roles: ['read'], goals: ['a'] })
})
