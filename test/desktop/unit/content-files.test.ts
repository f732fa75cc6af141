import { join } from 'node:path'
import { expect, test } from 'vitest'
import { contentFile } from '../../../src/main/desktop/content-files.ts'
import { isOwnUrl, pageUrl, placeInWindow } from '../../../src/main/desktop/origin.ts'

const ROOT = join('/', 'app', 'renderer')

test.each([
  ['app://intent-bus/index.html', ['index.html'], 'text/html; charset=utf-8'],
  ['app://intent-bus/assets/main-Bx_1.2.js', ['assets', 'main-Bx_1.2.js'], 'text/javascript; charset=utf-8'],
  ['app://intent-bus/assets/a.css?v=1#x', ['assets', 'a.css'], 'text/css; charset=utf-8'],
  ['app://intent-bus/assets/../index.html', ['index.html'], 'text/html; charset=utf-8']
])('%s is a file of the interface', (url, segments, mimeType) => {
  expect(contentFile(ROOT, url)).toEqual({ path: join(ROOT, ...segments), mimeType })
})

test.each([
  'app://intent-bus/',
  'app://intent-bus/assets/',
  'app://intent-bus//etc/passwd.html',
  'app://intent-bus/%2e%2e%2f%2e%2e%2fetc%2fpasswd.html',
  'app://intent-bus/..%2fsecret.html',
  'app://intent-bus/..%5csecret.html',
  'app://intent-bus/..\\secret.html',
  'app://intent-bus/%252e%252e/secret.html',
  'app://intent-bus/C:/secret.html',
  'app://intent-bus/C%3A%5Csecret.html',
  'app://intent-bus/a%00.html',
  'app://intent-bus/.env.json',
  'app://intent-bus/assets/.hidden.js',
  'app://intent-bus/main.key',
  'app://intent-bus/infrastructure.db',
  'app://other/index.html',
  'app://intent-bus:80/index.html',
  'app://user@intent-bus/index.html',
  'file:///etc/passwd.html',
  'https://intent-bus/index.html',
  'index.html'
])('%s is none', (url) => {
  expect(contentFile(ROOT, url)).toBeUndefined()
})

test.each([
  '../../etc/passwd.html',
  '..\\..\\x.html',
  '%2e%2e/%2e%2e/x.html',
  '.%2e/x.html',
  '....//x.html',
  '..;/x.html',
  '%c0%ae%c0%ae/x.html',
  '／etc／x.html',
  '\u002e\u002e/x.html'
])('whatever is asked for by %s, it lies in the folder of the interface', (path) => {
  const file = contentFile(ROOT, `app://intent-bus/${path}`)
  expect(file?.path ?? join(ROOT, 'none')).toMatch(/^[\\/]app[\\/]renderer[\\/][^.]/)
})

test('only the interface has its own origin', () => {
  expect(isOwnUrl(pageUrl('panel'))).toBe(true)
  expect(isOwnUrl('app://intent-bus')).toBe(true)
  for (const url of ['app://intent-bus.evil/', 'app://evil/intent-bus', 'http://intent-bus/', 'data:text/html,x', 'about:blank', '']) {
    expect(isOwnUrl(url)).toBe(false)
  }
})

test('a URL of the main page names a place in the main window', () => {
  expect(placeInWindow(pageUrl('window', '#/keys'))).toBe('#/keys')
  expect(placeInWindow(pageUrl('panel', '#/keys'))).toBeUndefined()
  expect(placeInWindow('https://example.com/index.html#/keys')).toBeUndefined()
})
