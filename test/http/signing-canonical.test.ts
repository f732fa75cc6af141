import { afterAll, expect, test } from 'vitest'
import { signatureHeaders } from '../support/http-client.ts'
import { MAIN_KEY, TestServer } from '../support/test-server.ts'
import { askSigned } from './signed.ts'
import { refusal } from './steps.ts'

const server = await TestServer.start()
afterAll(() => server[Symbol.asyncDispose]())

test.each([
  ['sorted by key', '/claim?namespace=n&goal=g', '/claim?goal=g&namespace=n'],
  ['of repeated keys in the order sent', '/claim?goal=g&x=2&x=1&a=0', '/claim?a=0&goal=g&x=2&x=1'],
  ['with blank values', '/claim?x=&goal=g', '/claim?goal=g&x='],
  ['with a bare key as a blank value', '/claim?x&goal=g', '/claim?goal=g&x='],
  ['with a plus as a space', '/claim?goal=a+b', '/claim?goal=a%20b'],
  ['with an encoded plus', '/claim?goal=a%2Bb', '/claim?goal=a%2Bb'],
  ['with slashes encoded', '/claim?goal=a/b', '/claim?goal=a%2Fb'],
  ['with lowercase escapes made uppercase', '/claim?goal=a%2fb', '/claim?goal=a%2Fb'],
  ['with needless escapes undone', '/claim?goal=%41%2D%2E%5F%7E', '/claim?goal=A-._~'],
  ['with the unreserved characters as they are', '/claim?goal=A-._~9', '/claim?goal=A-._~9'],
  ["with ! ' ( ) * encoded", "/claim?goal=!'()*", '/claim?goal=%21%27%28%29%2A'],
  ['with : , ; @ $ encoded', '/claim?goal=:,;@$', '/claim?goal=%3A%2C%3B%40%24'],
  ['with letters outside of ASCII as UTF-8', '/claim?goal=gr%C3%BC%C3%9Fe', '/claim?goal=gr%C3%BC%C3%9Fe'],
  ['with encoded keys', '/claim?b%20c=1&goal=g', '/claim?b%20c=1&goal=g'],
  ['with equals signs in a value', '/claim?goal=a=b', '/claim?goal=a%3Db'],
  ['sorted by the decoded key', '/claim?%62=1&a=2&goal=g', '/claim?a=2&b=1&goal=g'],
  ['sorted with capitals first', '/claim?goal=g&a=1&B=2', '/claim?B=2&a=1&goal=g'],
  ['sorted with a key before its longer kin', '/claim?goal=g&ab=1&a=2', '/claim?a=2&ab=1&goal=g'],
  ['sorted by key and not by key with value', '/claim?goal=g&a!=1&a=2', '/claim?a=2&a%21=1&goal=g'],
  ['that is missing', '/claim', '/claim']
])('the query is signed %s', async (_name, path, canonicalPath) => {
  expect((await askSigned(server, { method: 'POST', path, canonicalPath })).status).toBe(204)
})

test.each([
  ['unsorted', '/claim?namespace=n&goal=g', '/claim?namespace=n&goal=g'],
  ['with repeated keys sorted by value', '/claim?goal=g&x=2&x=1', '/claim?goal=g&x=1&x=2'],
  ['with a repeated key left out', '/claim?goal=g&x=2&x=1', '/claim?goal=g&x=2'],
  ['with a blank value left out', '/claim?goal=g&x=', '/claim?goal=g'],
  ['with a slash as it is', '/claim?goal=a/b', '/claim?goal=a/b'],
  ['with a space as a plus', '/claim?goal=a+b', '/claim?goal=a+b'],
  ['without the query', '/claim?goal=g', '/claim'],
  ['with another value', '/claim?goal=g', '/claim?goal=h']
])('a query that was signed %s is refused', async (_name, path, canonicalPath) => {
  const answer = await askSigned(server, { method: 'POST', path, canonicalPath })
  expect(refusal(answer)).toBe('403 invalid_signature')
})

test.each([
  ['a space', '/get/a%20b', '/get/a b'],
  ['a letter outside of ASCII', '/get/%C3%BC', '/get/ü'],
  ['a slash in a part of it', '/get/a%2Fb', '/get/a/b'],
  ['a plus, which is no space', '/get/a+b', '/get/a+b'],
  ['a needless escape', '/get/%61b', '/get/ab']
])('the path is signed decoded: %s', async (_name, path, canonicalPath) => {
  expect(refusal(await askSigned(server, { path, canonicalPath }))).toBe('404 not_found')
})

test('a path that was signed as it was encoded is refused', async () => {
  expect(refusal(await askSigned(server, { path: '/get/a%20b' }))).toBe('403 invalid_signature')
})

test('the method is signed in upper case', async () => {
  const timestamp = String(server.clock.now())
  const lower = signatureHeaders(MAIN_KEY, 'post', '/claim', '', { timestamp, nonce: 'lower' })
  const upper = signatureHeaders(MAIN_KEY, 'POST', '/claim', '', { timestamp, nonce: 'upper' })
  expect(refusal(await server.post('/claim', undefined, lower))).toBe('403 invalid_signature')
  expect((await server.post('/claim', undefined, upper)).status).toBe(204)
})

test('an empty body is signed as an empty text', async () => {
  expect((await askSigned(server, { method: 'POST', path: '/claim', signedBody: '' })).status).toBe(204)
  expect((await askSigned(server, { method: 'POST', path: '/claim', signedBody: '{}' })).status).toBe(403)
})
