import { describe, expect, it } from 'vitest'
import { keptIn } from '../../src/renderer/lib/text/secrets.ts'
import { countedStatuses, keySnippets, revokeEffects, rotateEffects } from '../../src/renderer/screens/keys/keys.ts'

describe('what revoking touches', () => {
  it('is said with its numbers', () => {
    const text = revokeEffects('key_1', { open: 2_000, claimed: 1, leases: 2, workers: ['pi4', 'pi5', 'pi6', 'pi7', 'pi8'] }).join('\n')
    expect(text).toContain('2,000 open intents that it published stay.')
    expect(text).toContain('publisher=key_1')
    expect(text).toContain('1 claimed intent that it published stays with whoever works on it.')
    expect(text).toContain('It holds 2 leases')
    expect(text).toContain('Used by 5 workers: pi4, pi5, pi6 and 2 more.')
  })

  it('leaves out what is not there', () => {
    expect(revokeEffects('key_1', { open: 0, claimed: 0, leases: 0, workers: [] })).toEqual([
      'Requests with this key are refused at once, and it cannot be brought back.',
      'No worker was seen with it.'
    ])
  })
})

it('rotating the main key says who needs the new one', () => {
  const text = rotateEffects({ open: 3, claimed: 0, leases: 1, workers: ['pi4'] }).join('\n')
  expect(text).toContain('Every program that has the main key is refused at once')
  expect(text).toContain('It holds 1 lease: that work can only be settled with the new key, before the lease ends.')
  expect(text).toContain('Used by 1 worker: pi4.')
})

it('only statuses that a key has intents in are counted', () => {
  expect(countedStatuses({ open: 2, claimed: 0, fulfilled: 1, dead: 0, expired: 3 })).toEqual([
    { status: 'open', count: 2 },
    { status: 'fulfilled', count: 1 },
    { status: 'expired', count: 3 }
  ])
})

it.each([
  ['environment', 'BUS_SECRET', 'in the variable BUS_SECRET of the environment'],
  ['file', '/data/main.key', 'in the file /data/main.key, which only your user can read'],
  ['keychain', 'the keychain of GNOME', 'in the keychain of GNOME'],
  ['elsewhere', '/data/main.key', 'where this bus cannot read it; it is not in /data/main.key']
] as const)('a secret in %s is found by what is said', (place, where, text) => {
  expect(keptIn({ in: place, where })).toBe(text)
})

it('each snippet holds the key and the address, and none the other one', () => {
  const snippets = keySnippets({ url: 'http://10.0.0.1:7610', pin: null }, 'tk_abc')
  expect(snippets.map(({ id }) => id)).toEqual(['publish', 'claim'])
  for (const { code } of snippets) expect(code).toMatch(/http:\/\/10\.0\.0\.1:7610[^]*tk_abc/)
})
