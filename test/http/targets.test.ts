import fc from 'fast-check'
import { afterAll, expect, test } from 'vitest'
import { BASIC, TestServer } from '../support/test-server.ts'
import { refusal, sendRaw } from './steps.ts'

/** Behind a proxy that tells of a machine of the network, which speaks plain HTTP and knows the password. */
const server = await TestServer.start({ trustProxy: true })
afterAll(() => server[Symbol.asyncDispose]())

function askFromAfar(method: string, target: string, body = '') {
  const headers = `Host: localhost\r\nX-Forwarded-For: 10.0.0.7\r\nAuthorization: ${BASIC}\r\nConnection: close\r\n`
  const length = `Content-Type: application/json\r\nContent-Length: ${body.length}\r\n`
  return sendRaw(server.url, Buffer.from(`${method} ${target} HTTP/1.1\r\n${headers}${length}\r\n${body}`, 'latin1'))
}

test.each([
  ['POST', '/admin\\control\\keys.revealMain#'],
  ['POST', '/admin\\control\\keys.revealMain'],
  ['GET', '/metrics#'],
  ['GET', '/metrics?#'],
  ['GET', '/metrics\xa0'],
  ['GET', '/metrics?a=\xe9'],
  ['GET', '/admin\\dead#x'],
  ['POST', '/pair#'],
  ['GET', '/status/1?a=\\']
])('%s %s is refused: parsers do not agree on it', async (method, target) => {
  expect(refusal(await askFromAfar(method, target, '{}'))).toMatch(/^400 invalid_(path|request)$/)
})

const piece = fc.constantFrom(
  ...['/', '//', '\\', '#', '?', '.', '..', '/.', '/../', ';', '&', '@', ':', '%', '%2f', '%5C', '%23', '%61', '%00', '\t', '\x0c', '\xa0', '\xff'],
  ...['admin', 'Admin', '/admin/', 'control', 'metrics', 'pair', 'dead', 'keys.revealMain', 'http:', 'localhost']
)
const target = fc.tuple(fc.constantFrom('/', '/', '/', ''), fc.array(piece, { maxLength: 8 })).map(([slash, pieces]) => slash + pieces.join(''))

test('however a path is spelled, over plain HTTP from another machine it leads to nothing of operators', async () => {
  await fc.assert(
    fc.asyncProperty(fc.constantFrom('GET', 'POST'), target, async (method, spelled) => {
      const { status, headers, text } = await askFromAfar(method, spelled, '{}')
      if (spelled.split('?')[0] === '/' && status === 200) return
      expect([spelled, status]).toEqual([spelled, expect.toSatisfy((code: number) => code >= 400 && code < 500)])
      // A 401 that asks for the password would have got as far as an operator's address.
      expect(headers).not.toHaveProperty('www-authenticate')
      expect(text).toContain('"error"')
    }),
    { numRuns: 400 }
  )
})
