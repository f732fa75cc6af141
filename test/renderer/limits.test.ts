import { describe, expect, it, test } from 'vitest'
import { methods } from '../../src/shared/control/contract.ts'
import { NO_LIMITS, type KeyLimits } from '../../src/shared/scope.ts'
import { draftOf, expiryOptions, limitProblems, limitsOf, type LimitsDraft } from '../../src/renderer/lib/limits/draft.ts'
import { abilitySentences, limitWords } from '../../src/renderer/lib/limits/words.ts'

const NOW = new Date(2030, 5, 1, 12).getTime() / 1000
const DAY = 86_400

function limits(change: Partial<KeyLimits>): KeyLimits {
  return { ...NO_LIMITS, ...change }
}

function draft(change: Partial<LimitsDraft>): LimitsDraft {
  return { ...draftOf(), ...change }
}

describe('limits in a few words', () => {
  test.each<[KeyLimits, string]>([
    [NO_LIMITS, 'no limits'],
    [limits({ scope: { roles: ['claim'], namespaces: null, goals: ['resize.*'] }, expiresAt: new Date(2031, 0, 3, 23, 59).getTime() / 1000 }), 'claim; goals resize.*; until 3 Jan 2031'],
    [limits({ scope: { roles: ['publish', 'read'], namespaces: ['lab', 'home'], goals: null } }), 'publish, read; namespaces lab and home'],
    [limits({ scope: { roles: null, namespaces: null, goals: ['a', 'b', 'c', 'd', 'e'] } }), 'goals a, b, c and 2 more'],
    [limits({ scope: { roles: ['operate'], namespaces: null, goals: null }, rateLimit: 1_200 }), 'operate; 1,200 requests a minute'],
    [limits({ expiresAt: NOW + 3_600 }), 'until 1 Jun 13:00']
  ])('%j', (given, words) => {
    expect(limitWords(given, NOW)).toBe(words)
  })
})

describe('what a key may do, in sentences', () => {
  it('names goals and namespaces where they count', () => {
    const text = abilitySentences(limits({ scope: { roles: ['claim'], namespaces: ['lab'], goals: ['resize.*'] }, rateLimit: 1 }), NOW).join('\n')
    expect(text).toContain('Claim and settle intents with the goal resize.* in the namespace lab:')
    expect(text).toContain('Send 1 request a minute.')
    expect(text).not.toContain('Publish')
  })

  it('tells all that an unlimited key may do, and that it operates nothing', () => {
    const text = abilitySentences(NO_LIMITS, NOW).join('\n')
    for (const word of ['Publish intents.', 'Claim and settle', 'Read statuses', 'Send 60 requests']) expect(text).toContain(word)
    expect(text).not.toContain('everything on this bus')
  })

  it('warns of a key that operates', () => {
    expect(abilitySentences(limits({ scope: { roles: ['operate'], namespaces: null, goals: null } }), NOW)[0]).toContain('everything on this bus')
  })
})

describe('the form', () => {
  it('stands for no limits at first', () => {
    expect(limitsOf(draftOf(), NOW)).toEqual(NO_LIMITS)
  })

  test.each<KeyLimits>([
    NO_LIMITS,
    limits({ scope: { roles: ['claim', 'read'], namespaces: ['lab', 'home'], goals: ['send mail', 'resize.*'] }, expiresAt: NOW + 5.5, rateLimit: 5 }),
    limits({ scope: { roles: ['operate'], namespaces: null, goals: null } })
  ])('gives back what it was opened with: %j', (given) => {
    const opened = draftOf(given)
    expect(limitProblems(opened, NOW)).toEqual({})
    expect(limitsOf(opened, NOW)).toEqual(given)
  })

  it('gives what the contract takes', () => {
    const { roles } = draftOf()
    const chosen = limitsOf(draft({ roles: { ...roles, publish: false }, namespaces: ' lab,  home lab', goals: 'a*\n\n  b? \na*', expiry: '7', rate: 10 }), NOW)
    expect(chosen).toEqual({ scope: { roles: ['claim', 'read'], namespaces: ['lab', 'home'], goals: ['a*', 'b?'] }, expiresAt: NOW + 7 * DAY, rateLimit: 10 })
    expect(methods['keys.limit'].parse({ id: 'key_1', ...chosen })).toEqual({ id: 'key_1', ...chosen })
  })

  it('lasts through the whole of its last day', () => {
    expect(limitsOf(draft({ expiry: 'date', date: '2030-06-05' }), NOW).expiresAt).toBe(new Date(2030, 5, 5, 23, 59, 59).getTime() / 1000)
  })

  it('keeps an expiry unless another one is chosen', () => {
    const opened = draftOf(limits({ expiresAt: NOW + 12_345.678 }))
    expect(expiryOptions(opened, NOW)[0]).toEqual({ value: 'kept', label: 'As it is: 1 Jun 15:25' })
    expect(limitsOf({ ...opened, expiry: 'never' }, NOW).expiresAt).toBeNull()
    expect(expiryOptions(draftOf(), NOW).some(({ value }) => value === 'kept')).toBe(false)
  })

  test.each<[keyof ReturnType<typeof limitProblems>, Partial<LimitsDraft>]>([
    ['roles', { roles: { publish: false, claim: false, read: false, operate: false } }],
    ['roles', { roles: { publish: true, claim: false, read: false, operate: true }, goals: 'a' }],
    ['roles', { roles: { publish: false, claim: false, read: false, operate: true }, namespaces: 'lab' }],
    ['namespaces', { namespaces: 'lab no/pe' }],
    ['namespaces', { namespaces: Array.from({ length: 33 }, (_, i) => `n${i}`).join(' ') }],
    ['goals', { goals: 'x'.repeat(513) }],
    ['goals', { goals: Array.from({ length: 33 }, (_, i) => `g${i}`).join('\n') }],
    ['date', { expiry: 'date', date: '' }],
    ['date', { expiry: 'date', date: '2030-05-31' }],
    ['rate', { rate: 0 }],
    ['rate', { rate: 2.5 }]
  ])('says what is wrong with %s: %j', (field, change) => {
    expect(Object.keys(limitProblems(draft(change), NOW))).toEqual([field])
  })

  it('takes today as a last day', () => {
    expect(limitProblems(draft({ expiry: 'date', date: '2030-06-01' }), NOW)).toEqual({})
  })
})
