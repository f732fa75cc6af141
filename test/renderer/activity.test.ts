import { describe, expect, it, test } from 'vitest'
import { comparedLines } from '../../src/renderer/screens/activity/difference.ts'
import { linesOf } from '../../src/renderer/screens/activity/lines.ts'
import { actorWords, auditSentence, isOfKind, isWarning } from '../../src/renderer/screens/activity/sentences.ts'
import { limitsText, readLimitsText } from '../../src/shared/control/limits-text.ts'
import type { AuditEvent, AuditView, SignatureFailureView } from '../../src/shared/control/network-views.ts'
import type { GapView } from '../../src/shared/control/intent-views.ts'
import { NO_LIMITS, type KeyLimits } from '../../src/shared/scope.ts'

function entry(event: AuditEvent, subject = '', detail = ''): AuditView {
  return { n: 1, at: 0, event, actor: '', address: '', subject, detail }
}

describe('the lines of the trail', () => {
  const entries: AuditView[] = [
    { ...entry('logout'), n: 9, at: 900 },
    { ...entry('bus.paused'), n: 5, at: 500 }
  ]
  const gaps: GapView[] = [
    { at: 300, seconds: 20, cause: 'sleep' },
    { at: 600, seconds: 32.4, cause: 'sleep' },
    { at: 700, seconds: -7_200, cause: 'clock' },
    { at: 800, seconds: 50, cause: 'restore' }
  ]

  it('have the times in between when nothing could run, as far back as the entries go', () => {
    const texts = (hasMore: boolean) => linesOf({ entries, hasMore, gaps }, 'all', nameOf).map(({ text }) => text)
    expect(texts(true)).toEqual([
      'A browser logged out.',
      'The clock was set back by 2 h 00 min; leases and lifetimes are as long as before.',
      'The bus’s machine slept for 32 s; leases and lifetimes stood still.',
      'The bus was paused.'
    ])
    expect(texts(false).at(-1)).toBe('The bus’s machine slept for 20 s; leases and lifetimes stood still.')
  })

  it('have them where it is about the bus, and nowhere else', () => {
    const countOf = (kind: 'bus' | 'access') => linesOf({ entries, hasMore: false, gaps }, kind, nameOf).length
    expect([countOf('bus'), countOf('access')]).toEqual([4, 1])
  })
})

const nameOf = (id: string): string => (id === 'key_1' ? 'pi4' : id)

describe('what happened', () => {
  test.each<[AuditView, string]>([
    [entry('import.started', 'a.ndjson', '2 intents and 1 key; its keys count as soon as they are added'), 'The import of the file a.ndjson began: 2 intents and 1 key; its keys count as soon as they are added.'],
    [entry('import.stopped', 'a.ndjson', '1 intent added; 1 key added'), 'The import of the file a.ndjson was stopped; until then: 1 intent added; 1 key added.'],
    [entry('import.failed', 'a.ndjson', 'nothing. Make room on it.'), 'The import of the file a.ndjson failed; until then: nothing. Make room on it.'],
    [entry('data.imported', 'a.ndjson', '2 intents added'), 'The file a.ndjson was imported: 2 intents added.'],
    [entry('login', '', 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0'), 'A browser logged in: Firefox on Linux.'],
    [entry('login', 'admin token', 'by credentials'), 'The admin token was used by a program.'],
    [entry('login.failed', 'password', '12'), 'A wrong password was refused, 12 times.'],
    [entry('pairing.wrong', '', '1'), 'A wrong pairing code was refused.'],
    [entry('key.created', 'key_1', 'pi4: claim, read; goals resize.*'), 'A key was made for pi4: claim, read; goals resize.*.'],
    [entry('key.created', 'key_1', 'lab: a: b: publish; namespaces lab'), 'A key was made for lab: a: b: publish; namespaces lab.'],
    [entry('key.created', 'key_1', 'pi4: claim; goals a; until 1970-'), 'A key was made for pi4: claim; goals a; until 1970-.'],
    [entry('key.changed', 'key_1', 'no limits'), 'The key of pi4 was changed: no limits.'],
    [entry('key.revoked', 'key_9', 'nas'), 'The key of nas was revoked.'],
    [entry('session.ended', 'all others', '2'), 'All other browsers were logged out (2).'],
    [entry('session.ended', 'Phone of Ada'), 'Phone of Ada was logged out.'],
    [entry('pairing.asked', 'pi5', 'worker'), 'pi5 asked for a key of its own.'],
    [entry('pairing.allowed', 'pi5', 'key_3: claim; goals resize.*'), 'pi5 was let in, with a key of its own: claim; goals resize.*.'],
    [entry('pairing.allowed', 'pi5', 'key_3: no limits'), 'pi5 was let in, with a key of its own: no limits.'],
    [entry('pairing.allowed', 'Phone', 'browser: watch, publish'), 'Phone was let in, and watches and publishes.'],
    [entry('sharing.started', '', 'listens at https://10.0.0.2:7611'), 'Sharing was turned on: listens at https://10.0.0.2:7611.'],
    [entry('sharing.started', '', 'The key of this bus is damaged.'), 'Sharing was turned on: The key of this bus is damaged.'],
    [entry('settings.changed', 'requireSignatures, share, busName'), 'Settings were changed: “Require signatures”, “Share on this network” and “Name of this bus”.'],
    [entry('settings.changed', 'share, sharePort, shareInterface, busName', 'share: off → on; sharePort: 7611 → 7700; shareInterface: "" → "eth0; x"'), 'Settings were changed: “Share on this network” from off to on, “Port for other machines” from 7611 to 7700, “Shared on” from automatic to eth0; x and “Name of this bus”.'],
    // Cut short.
    [entry('settings.changed', 'share, port', 'share: off → on; port: 76'), 'Settings were changed: “Share on this network” from off to on and “Port”.'],
    [entry('settings.changed', 'port, theme'), 'Settings were changed: “Port” and theme.'],
    [entry('bus.purged', 'all namespaces'), 'Intents were purged: all namespaces.']
  ])('%j', (given, sentence) => {
    expect(auditSentence(given, nameOf)).toBe(sentence)
  })

  it('that another version noted has its bare name', () => {
    for (const event of ['identity.renewed', 'toString'] as unknown as AuditEvent[]) {
      const unknown = entry(event, 'a', 'b')
      expect([auditSentence(unknown, nameOf), isWarning(unknown)]).toEqual([event, false])
      expect([isOfKind(unknown, 'all'), isOfKind(unknown, 'network')]).toEqual([true, false])
    }
  })

  it('is of a kind, and wants a look where somebody tried', () => {
    expect(isOfKind(entry('pairing.wrong'), 'network')).toBe(true)
    expect(isOfKind(entry('pairing.wrong'), 'keys')).toBe(false)
    expect(isOfKind(entry('login'), 'all')).toBe(true)
    const kindsOf = (detail: string) => (['access', 'keys', 'network'] as const).filter((kind) => isOfKind(entry('pairing.allowed', 'pi5', detail), kind))
    expect([kindsOf('key_3: no limits'), kindsOf('browser: watch')]).toEqual([['keys', 'network'], ['access', 'network']])
    expect([isWarning(entry('login.failed')), isWarning(entry('login'))]).toEqual([true, false])
  })
})

describe('limits as the trail notes them', () => {
  const DAY = 86_400

  test.each<KeyLimits>([
    NO_LIMITS,
    { scope: { roles: ['claim', 'read'], namespaces: ['lab', 'home'], goals: ['resize.*', 'until noon'] }, expiresAt: DAY + 0.5, rateLimit: 5 },
    { scope: { roles: null, namespaces: null, goals: ['publish'] }, expiresAt: null, rateLimit: null },
    { scope: null, expiresAt: DAY, rateLimit: 1_200 },
    { scope: null, expiresAt: null, rateLimit: 1 }
  ])('are read back: %j', (limits) => {
    expect(readLimitsText(limitsText(limits))).toEqual(limits)
  })

  test.each(['', 'claim, fly', 'goals a; namespaces b', 'claim; until soon', 'claim; claim'])('are not read out of %j', (text) => {
    expect(readLimitsText(text)).toBeNull()
  })
})

test.each([
  ['desktop', 'At the app'],
  ['', 'A stranger'],
  ['browser Phone: of Ada', 'In the browser Phone: of Ada'],
  ['key key_1', 'With the key of pi4'],
  ['browser', 'In a browser with the password']
])('%s is said as %s', (actor, words) => {
  expect(actorWords(actor, nameOf)).toBe(words)
})

describe('two sides of a signature', () => {
  const failure: SignatureFailureView = {
    at: 0,
    address: '10.0.0.2',
    key: 'key_1',
    method: 'POST',
    path: '/claim',
    message: '',
    expected: ['POST', '/claim?goal=a&wait=1', '1', 'n', ''],
    found: ['POST', '/claim?wait=1&goal=a', '1', 'n', ''],
    difference: { line: 2, column: 8 },
    text: '',
    next: ''
  }

  it('are cut where they begin to differ', () => {
    const { bus, client } = comparedLines(failure)
    expect(bus[1]!.marked).toEqual({ same: '/claim?', other: 'goal=a&wait=1' })
    expect(client![1]!.marked).toEqual({ same: '/claim?', other: 'wait=1&goal=a' })
    expect(bus.filter(({ marked }) => marked !== null)).toHaveLength(1)
  })

  it('may end before the other, or not be known', () => {
    const short = comparedLines({ ...failure, found: ['POST', '/claim?goal=a', '1', 'n', ''], difference: { line: 2, column: 14 } })
    expect(short.client![1]!.marked).toEqual({ same: '/claim?goal=a', other: '' })
    expect(comparedLines({ ...failure, found: null, difference: null })).toMatchObject({ client: null, bus: [{ marked: null }, {}, {}, {}, {}] })
  })
})
