import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { escapeGlob, formatFilter, matchesChange, parseFilter, suggest, withoutField, withTerm } from '../../src/shared/control/filter.ts'
import { matchesGlob } from '../../src/shared/control/filter/glob.ts'
import type { IntentChange } from '../../src/shared/control/intent-views.ts'
import type { NamesView } from '../../src/shared/control/worker-views.ts'

/** What a filter asks, without where it stands. */
function testsOf(text: string): unknown[] {
  return parseFilter(text).terms.map(({ isNegated, test: asked }) => (isNegated ? { not: asked } : asked))
}

describe('what a filter means', () => {
  test.each<[string, unknown[]]>([
    ['', []],
    ['  \t\n ', []],
    ['status:dead', [{ field: 'status', statuses: ['dead'] }]],
    ['status:dead,open', [{ field: 'status', statuses: ['open', 'dead'] }]],
    ['STATUS:Dead', [{ field: 'status', statuses: ['dead'] }]],
    ['goal:send_*', [{ field: 'goal', pattern: 'send_*' }]],
    ['goal:"two words"', [{ field: 'goal', pattern: 'two words' }]],
    ['goal:a\\b', [{ field: 'goal', pattern: 'a\\\\b' }]],
    ['goal:"a\\*b"', [{ field: 'goal', pattern: 'a\\*b' }]],
    ['goal:http://x:80/?a=b', [{ field: 'goal', pattern: 'http://x:80/?a=b' }]],
    ['ns:prod worker:pi?', [{ field: 'ns', pattern: 'prod' }, { field: 'worker', pattern: 'pi?' }]],
    ['key:main', [{ field: 'key', pattern: 'main' }]],
    ['key:key_0123456789abcdef', [{ field: 'key', pattern: 'key_0123456789abcdef' }]],
    ['id:0D0F', [{ field: 'id', prefix: '0d0f' }]],
    ['target:pi4 capability:gpu', [{ field: 'target', pattern: 'pi4' }, { field: 'capability', pattern: 'gpu' }]],
    ['visibility:public', [{ field: 'visibility', visibility: 'public' }]],
    ['priority:>=500', [{ field: 'priority', comparison: '>=', value: 500 }]],
    ['priority:7', [{ field: 'priority', comparison: '=', value: 7 }]],
    ['attempts:>1', [{ field: 'attempts', comparison: '>', value: 1 }]],
    ['age:<1h', [{ field: 'age', comparison: '<', seconds: 3_600 }]],
    ['age:>2d', [{ field: 'age', comparison: '>', seconds: 172_800 }]],
    ['error:"timed out"', [{ field: 'error', pattern: 'timed out' }]],
    ['error:"HTTP * from *"', [{ field: 'error', pattern: 'HTTP * from *' }]],
    ['payload.order:42', [{ field: 'payload', path: ['order'], pattern: '42', isText: false }]],
    ['payload.customer.name:"Ann"', [{ field: 'payload', path: ['customer', 'name'], pattern: 'Ann', isText: true }]],
    ['payload."a.b".c:null', [{ field: 'payload', path: ['a.b', 'c'], pattern: 'null', isText: false }]],
    ['payload."say \\"hi\\"":1', [{ field: 'payload', path: ['say "hi"'], pattern: '1', isText: false }]],
    ['result.ok:true', [{ field: 'result', path: ['ok'], pattern: 'true', isText: false }]],
    ['has:error has:result', [{ field: 'has', what: 'error' }, { field: 'has', what: 'result' }]],
    ['-status:open', [{ not: { field: 'status', statuses: ['open'] } }]],
    ['some words', [{ field: 'text', text: 'some' }, { field: 'text', text: 'words' }]],
    ['"a phrase" -word', [{ field: 'text', text: 'a phrase' }, { not: { field: 'text', text: 'word' } }]],
    ['"status:dead"', [{ field: 'text', text: 'status:dead' }]],
    ['"say \\"hi\\" \\\\ *"', [{ field: 'text', text: 'say "hi" \\ *' }]],
    ['- 12:30', [{ field: 'text', text: '-' }, { field: 'text', text: '12:30' }]],
    ['-"-5"', [{ not: { field: 'text', text: '-5' } }]]
  ])('%s', (text, meaning) => {
    expect(parseFilter(text).problems).toEqual([])
    expect(testsOf(text)).toEqual(meaning)
  })
})

describe('what a filter cannot mean', () => {
  test.each<[string, number, number, RegExp]>([
    ['goal:x stauts:dead', 7, 11, /no field `stauts`; put the words in quotes/],
    ['http://x', 0, 8, /no field `http`/],
    ['status:dead error:"*\0*"', 12, 11, /cannot look for the character U\+0000/],
    ['-goal:a\0*', 0, 9, /cannot look for the character U\+0000/],
    ['ns:lab "\0"', 7, 3, /cannot look for the character U\+0000/],
    ['status:done', 0, 11, /`done` is not a status; there are open, claimed, fulfilled, dead, expired/],
    ['status:open,', 0, 12, /`` is not a status/],
    ['goal:', 0, 5, /`goal:` needs a value/],
    ['goal:""', 0, 7, /needs a value/],
    ['goal.x:1', 0, 8, /`goal` has no keys/],
    ['priority:high', 0, 13, /whole number/],
    ['attempts:>-1', 0, 12, /whole number/],
    ['age:1h', 0, 6, /`age:<1h` for younger/],
    ['age:<soon', 0, 9, /s, m, h or d/],
    ['visibility:secret', 0, 17, /`private` or `public`/],
    ['has:worker', 0, 10, /`error` or `result`/],
    ['id:xyz', 0, 6, /hex digits/],
    ['payload:42', 0, 10, /`payload.order:42`/],
    ['a "b c', 2, 4, /closing quote is missing/],
    ['""', 0, 2, /nothing between the quotes/]
  ])('%s', (text, at, length, message) => {
    expect(parseFilter(text).problems).toEqual([{ at, length, message: expect.stringMatching(message) }])
  })

  test('what is right about it still counts', () => {
    expect(testsOf('goal:x age:old word')).toEqual([{ field: 'goal', pattern: 'x' }, { field: 'text', text: 'word' }])
  })

  test('more than fifty terms are one problem', () => {
    const { terms, problems } = parseFilter('x '.repeat(500))
    expect(terms).toHaveLength(50)
    expect(problems).toEqual([{ at: 100, length: 1, message: 'A filter has 50 terms at most.' }])
  })
})

/** Texts made of what the language is made of. */
const filterText = fc
  .array(
    fc.oneof(
      fc.constantFrom('status:', 'goal:', '-', '"', '\\', '*', '?', ' ', 'payload.', '.', ':', 'error:', 'age:<', 'dead', ',', '1h', '42', '\\"'),
      fc.string({ unit: 'binary', maxLength: 4 })
    ),
    { maxLength: 14 }
  )
  .map((pieces) => pieces.join(''))

test('any text is read without an error, and every character belongs to one term at most', () => {
  fc.assert(
    fc.property(filterText, (text) => {
      const { terms, problems } = parseFilter(text)
      const spans = [...terms, ...problems].sort((a, b) => a.at - b.at)
      let end = 0
      for (const { at, length } of spans) {
        expect(at).toBeGreaterThanOrEqual(end)
        expect(length).toBeGreaterThan(0)
        end = at + length
      }
      expect(end).toBeLessThanOrEqual(text.length)
    }),
    { numRuns: 3_000 }
  )
})

test('what was read, written again, is read the same', () => {
  fc.assert(
    fc.property(filterText, (text) => {
      const formatted = formatFilter(parseFilter(text))
      expect(parseFilter(formatted).problems).toEqual([])
      expect(testsOf(formatted)).toEqual(testsOf(text))
    }),
    { numRuns: 3_000 }
  )
})

describe('changing a filter', () => {
  test.each([
    ['', 'status', 'dead', 'status:dead'],
    ['goal:x words', 'status', 'dead', 'goal:x words status:dead'],
    ['status:open  goal:x', 'status', 'dead', 'goal:x status:dead'],
    ['-status:open', 'status', 'dead', '-status:open status:dead'],
    ['payload.a:1 payload.b:2', 'payload.a', '3', 'payload.b:2 payload.a:3'],
    ['"open quote', 'status', 'dead', 'status:dead "open quote'],
    ['', 'error', 'timed out after * s', 'error:"timed out after * s"'],
    ['', 'error', 'no "file"', 'error:"no \\"file\\""'],
    ['', 'goal', escapeGlob('a*b'), 'goal:"a\\*b"'],
    ['', 'goal', escapeGlob('C:\\x\\'), 'goal:C:\\x\\'],
    ['', 'goal', 'lone \\', 'goal:"lone \\\\"']
  ])('%s with %s:%s', (text, field, value, expected) => {
    expect(withTerm(text, field, value)).toBe(expected)
    expect(parseFilter(expected).terms.length + parseFilter(expected).problems.length).toBeGreaterThan(0)
  })

  test('a field goes with all that was asked of it', () => {
    expect(withoutField('a status:open -status:dead payload.x:1  b', 'status')).toBe('a payload.x:1 b')
    expect(withoutField('payload.x:1 payload.y:1', 'payload.x')).toBe('payload.y:1')
  })

  test('any text that is meant as it is comes back as it is', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', minLength: 1 }), (goal) => {
        const [term] = parseFilter(withTerm('', 'goal', escapeGlob(goal))).terms
        expect(term?.test).toEqual({ field: 'goal', pattern: escapeGlob(goal) })
      })
    )
  })
})

test('a pattern matches what the same pattern as a regular expression does', () => {
  const piece = fc.constantFrom('a', 'b', '*', '?', 'ab', '.', '🜁')
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 8 }), fc.array(fc.constantFrom('a', 'b', '.', '🜁'), { maxLength: 10 }), (pattern, text) => {
      const source = pattern.map((part) => (part === '*' ? '[^]*' : part === '?' ? '[^]' : part.replace('.', '\\.'))).join('')
      expect(matchesGlob(pattern.join(''), text.join(''))).toBe(new RegExp(`^${source}$`, 'u').test(text.join('')))
    }),
    { numRuns: 2_000 }
  )
})

describe('whether a change matches', () => {
  const AT = 1_790_000_000
  /** Published ten seconds before `AT`. */
  const id = `${((AT - 10) * 2_048_000).toString(16).padStart(14, '0')}0123456789abcdef01`
  const published: IntentChange = { id, at: AT - 10, event: 'published', status: 'open', namespace: 'prod', goal: 'send_mail', key: 'main' }
  const claimed: IntentChange = { ...published, at: AT, event: 'claimed', status: 'claimed', attempts: 1, worker: 'pi4', key: 'key_1' }
  const failed: IntentChange = { ...claimed, event: 'failed', status: 'open', error: 'Timed out after 30 s' }

  test.each<[string, IntentChange, boolean | 'unknown']>([
    ['', published, true],
    ['status:open', published, true],
    ['-status:open', published, false],
    ['goal:send_* ns:prod', published, true],
    ['goal:send', published, false],
    ['key:main', published, true],
    ['key:main', claimed, 'unknown'],
    ['worker:*', published, false],
    ['-worker:pi4', published, true],
    ['worker:pi*', claimed, true],
    ['worker:pi4', failed, false],
    ['attempts:0', published, true],
    ['attempts:>0', failed, true],
    ['age:<1m', claimed, true],
    ['age:>1m', claimed, false],
    ['age:>=10s', claimed, true],
    ['error:"TIMED out"', failed, true],
    ['error:"timed out after * s"', failed, true],
    ['error:"out after * m"', failed, false],
    ['error:x', claimed, 'unknown'],
    ['has:error', published, false],
    ['has:error', failed, true],
    ['has:result', failed, false],
    ['has:result', { ...claimed, event: 'fulfilled', status: 'fulfilled' }, 'unknown'],
    ['MAIL', published, true],
    ['invoice', published, 'unknown'],
    ['-mail', published, false],
    ['payload.order:42 status:dead', published, false],
    ['payload.order:42 status:open', published, 'unknown'],
    [`id:${id.slice(0, 20)}`, published, true],
    ['priority:>5', published, 'unknown'],
    ['', { ...published, event: 'deleted' }, false]
  ])('%s', (text, change, verdict) => {
    expect(matchesChange(parseFilter(text), change)).toBe(verdict)
  })
})

describe('completing', () => {
  const counts = { open: 0, claimed: 0, fulfilled: 0, dead: 0, expired: 0 }
  const goal = (name: string) => ({ namespace: 'prod', goal: name, counts, lastPublishedAt: null, lastClaimedAt: null })
  const names: NamesView = {
    namespaces: [{ namespace: 'default', counts }, { namespace: 'prod', counts }],
    goals: [goal('send_mail'), goal('resize image'), goal('mail')],
    capabilities: ['gpu'],
    workers: ['pi4', 'pi5']
  }
  /** What a filter becomes with each suggestion; `|` is the caret. */
  function completed(marked: string): string[] {
    const caret = marked.indexOf('|')
    const text = marked.replace('|', '')
    return suggest(text, caret, names).map(({ from, to, insert }) => text.slice(0, from) + insert + text.slice(to))
  }

  test.each<[string, string[]]>([
    ['st|', ['status:']],
    ['a:b -sta|', ['a:b -status:']],
    ['pay|', ['payload.']],
    ['mail|', ['goal:mail', 'goal:send_mail']],
    ['status:d|', ['status:dead', 'status:claimed', 'status:fulfilled', 'status:expired']],
    ['status:open,de|', ['status:open,dead']],
    ['goal:res| x', ['goal:"resize image" x']],
    ['goal:"res|', ['goal:"resize image"']],
    ['ns:|', ['ns:default', 'ns:prod']],
    ['worker:5|', ['worker:pi5']],
    ['capability:|', ['capability:gpu']],
    ['visibility:pu|', ['visibility:public']],
    ['priority:|', []]
  ])('%s', (marked, expected) => {
    expect(completed(marked)).toEqual(expected)
  })

  test('every field is offered where nothing stands yet', () => {
    expect(completed('goal:x |').slice(0, 3)).toEqual(['goal:x status:', 'goal:x goal:', 'goal:x ns:'])
  })
})
