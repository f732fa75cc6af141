import { expect, test } from 'vitest'
import { DEAD_LETTERS, findLink, readLink } from '../../../src/main/desktop/links.ts'

const ID = '0123456789abcdef0123456789abcdef'

test.each([
  [`intentbus://intent/${ID}`, `#/intents/${ID}`],
  ['intentbus://intents', '#/intents'],
  ['intentbus://intents/', '#/intents'],
  ['intentbus://intents?filter=status%3Adead%20goal:x', '#/intents?filter=status%3Adead%20goal%3Ax'],
  ['intentbus://publish?goal=resize&payload=%7B%22a%22%3A1%7D', '#/publish?goal=resize&payload=%7B%22a%22%3A1%7D'],
  ['intentbus://publish?goal=a&confirm=true&run=1', '#/publish?goal=a']
])('%s leads to a place in the window', (link, hash) => {
  expect(readLink(link)).toEqual({ view: 'window', hash })
})

test('a link may open the panel', () => {
  expect(readLink('intentbus://panel')).toEqual({ view: 'panel' })
})

test.each([
  'intentbus://intent/../settings',
  'intentbus://intent/0123',
  `intentbus://intent/${ID}/cancel`,
  'intentbus://purge?confirm=true',
  'intentbus://panel/x',
  'intentbus:',
  'https://intents/',
  'javascript:alert(1)',
  'not a link',
  `intentbus://publish?goal=a&payload=${'x'.repeat(20_000)}`
])('%s leads nowhere', (link) => {
  expect(readLink(link)).toBeUndefined()
})

test('what a link carries cannot leave its place in the address', () => {
  const destination = readLink('intentbus://publish?goal=%23%2Fkeys%26payload%3Dx')
  expect(destination).toEqual({ view: 'window', hash: '#/publish?goal=%23%2Fkeys%26payload%3Dx' })
})

test('the link is found among the arguments of a start', () => {
  expect(findLink(['/opt/app', '--hidden', 'intentbus://panel'])).toBe('intentbus://panel')
  expect(findLink(['/opt/app', '--hidden'])).toBeUndefined()
})

test('the place of dead letters is one that a link can name, too', () => {
  expect(readLink('intentbus://intents?filter=status:dead')).toEqual({ view: 'window', hash: DEAD_LETTERS })
})
