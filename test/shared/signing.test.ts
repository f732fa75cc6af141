import { spawnSync } from 'node:child_process'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { canonicalHead, canonicalPath, decodePath, parseQuery } from '../../src/shared/signing.ts'

function canonical(target: string): string {
  const [path = '', query = ''] = target.split(/\?(.*)/s)
  return canonicalPath(decodePath(path), parseQuery(query))
}

test.each([
  ['/claim', '/claim'],
  ['/claim?', '/claim'],
  ['/claim?goal=a&namespace=b', '/claim?goal=a&namespace=b'],
  ['/claim?namespace=b&goal=a', '/claim?goal=a&namespace=b'],
  ['/claim?b=2&a=1&b=1', '/claim?a=1&b=2&b=1'],
  ['/claim?x', '/claim?x='],
  ['/claim?x=&y', '/claim?x=&y='],
  ['/claim?goal=a+b%20c', '/claim?goal=a%20b%20c'],
  ['/claim?goal=a/b', '/claim?goal=a%2Fb'],
  ["/claim?goal=!'()*~", '/claim?goal=%21%27%28%29%2A~'],
  ['/claim?g%6Fal=%C3%A4', '/claim?goal=%C3%A4'],
  ['/claim?a=%zz', '/claim?a=%25zz'],
  ['/claim?a=%ff', '/claim?a=%EF%BF%BD'],
  ['/claim?a=1&&b=2', '/claim?a=1&b=2'],
  ['/set/a%20b', '/set/a b'],
  ['/set/%C3%A4', '/set/ä']
])('%s is signed as %s', (target, signed) => {
  expect(canonical(target)).toBe(signed)
})

test('names are sorted by code point, not by UTF-16 unit', () => {
  expect(canonicalPath('/p', [['\u{1F600}', '1'], ['\uFF5E', '2']])).toBe('/p?%EF%BD%9E=2&%F0%9F%98%80=1')
})

test('everything before the body is one line each', () => {
  expect(canonicalHead('post', '/intent', '1790000000', 'n')).toBe('POST\n/intent\n1790000000\nn\n')
})

/** An implementation that shares nothing with ours: Python's own, as SDKs use it. */
const PYTHON = `
import json, sys
from urllib.parse import parse_qsl, quote, unquote
for line in sys.stdin:
    path, query = json.loads(line)
    pairs = sorted(parse_qsl(query, keep_blank_values=True), key=lambda pair: pair[0])
    text = '&'.join(quote(k, safe='-._~') + '=' + quote(v, safe='-._~') for k, v in pairs)
    print(json.dumps(unquote(path) + ('?' + text if text else '')))
`

test('agrees with Python on generated paths and queries', () => {
  const piece = fc.string({ unit: fc.constantFrom(...'aZ09-._~+% /?!\'()*äあ😀'.split('')), maxLength: 8 })
  const encoded = piece.map((text) => encodeURIComponent(text.toWellFormed()).replaceAll('%20', '+'))
  const target = fc.tuple(
    encoded.map((text) => `/set/${text.replaceAll('+', '%20')}`),
    fc.array(fc.tuple(encoded, fc.option(encoded)), { maxLength: 5 }).map((pairs) =>
      pairs.map(([name, value]) => (value === null ? name : `${name}=${value}`)).join('&')
    )
  )
  const targets = fc.sample(target, 400)
  const input = targets.map((pair) => `${JSON.stringify(pair)}\n`).join('')
  const python = spawnSync('python3', ['-c', PYTHON], { input, encoding: 'utf8' })
  expect(python.stderr).toBe('')
  const expected = python.stdout.trim().split('\n').map((line) => JSON.parse(line) as string)
  expect(expected).toHaveLength(400)
  for (const [i, [path, query]] of targets.entries()) expect(canonical(`${path}?${query}`)).toBe(expected[i])
})
