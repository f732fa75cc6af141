import { expect, test } from 'vitest'
import { gunzipSync } from 'node:zlib'
import { request } from 'node:http'
import { tlsFetch } from '../../src/main/client/index.ts'
import { TestServer } from '../support/test-server.ts'
import { SPEC_HEADERS } from './steps.ts'

test('a browser that opens the bus is led to the interface', async () => {
  await using server = await TestServer.start()
  const answer = await server.ask({ path: '/', headers: { Accept: 'text/html' } })
  expect([answer.status, answer.headers.location]).toEqual([303, '/admin/'])
  const short = await server.ask({ path: '/admin' })
  expect([short.status, short.headers.location]).toEqual([303, '/admin/'])
})

test('the interface is a page that loads only what this bus serves', async () => {
  await using server = await TestServer.start()
  const page = await server.ask({ path: '/admin/' })
  expect(page.status).toBe(200)
  expect(page.headers['content-type']).toBe('text/html; charset=utf-8')
  expect(page.headers).toMatchObject(SPEC_HEADERS)
  const policy = page.headers['content-security-policy']!
  expect(policy).toContain("default-src 'none'")
  expect(policy).not.toContain('unsafe')
  expect(policy).toContain("frame-ancestors 'none'")
  const assets = [...page.text.matchAll(/(?:src|href)="\.\/([^"]+)"/g)].map(([, path]) => path!)
  expect(assets.length).toBeGreaterThan(1)
  for (const path of assets) {
    const asset = await server.ask({ path: `/admin/${path}` })
    expect([path, asset.status]).toEqual([path, 200])
    expect(asset.headers).toMatchObject(SPEC_HEADERS)
  }
  expect(page.text).not.toMatch(/<script(?![^>]*src=)|<style|style="/)
})

test('it comes compressed to those who take it, and is the same', async () => {
  await using server = await TestServer.start()
  const plain = await server.ask({ path: '/admin/' })
  const gzipped = await new Promise<Buffer>((resolve, reject) => {
    const req = request(`${server.url}/admin/`, { headers: { 'Accept-Encoding': 'br, gzip' } }, (res) => {
      const chunks: Buffer[] = []
      res.on('data', (chunk: Buffer) => chunks.push(chunk))
      res.on('end', () => resolve(Buffer.concat(chunks)))
      expect(res.headers['content-encoding']).toBe('gzip')
    })
    req.on('error', reject)
    req.end()
  })
  expect(gunzipSync(gzipped).toString()).toBe(plain.text)
})

test.each(['/admin/assets/none.js', '/admin/assets/..%2findex.html', '/admin/assets/%2e%2e/main/headless.js', '/admin/index.html', '/admin/assets/'])(
  '%s is not there',
  async (path) => {
    await using server = await TestServer.start()
    expect((await server.ask({ path })).status).toBe(404)
  }
)

test('the client is handed out to whoever asks, as npm takes it', async () => {
  await using server = await TestServer.start()
  const response = await fetch(`${server.url}/intent-bus-client.tgz`)
  expect([response.status, response.headers.get('content-type')]).toEqual([200, 'application/gzip'])
  expect(response.headers.get('x-intent-version')).toBe('2.1')
  const archive = gunzipSync(Buffer.from(await response.arrayBuffer())).toString('latin1')
  expect(archive).toContain('package/package.json')
  expect(archive).toContain('"name": "intent-bus-client"')
  expect((await server.ask({ method: 'POST', path: '/intent-bus-client.tgz' })).status).toBe(405)
})

test('the root certificate is handed out to whoever asks by a name of the bus, over HTTPS or on its own machine', async () => {
  await using server = await TestServer.start({ sharedAt: '127.0.0.2', enforceHttps: false })
  const { pin, rootPem } = server.sharing.identity!
  const path = '/intent-bus-root.pem'
  const own = await server.ask({ path })
  expect([own.status, own.text, own.headers['content-type']]).toEqual([200, rootPem, 'application/x-x509-ca-cert'])
  const shared = await tlsFetch({ pin })(server.sharing.urls[0]! + path)
  expect([shared.status, await shared.text()]).toEqual([200, rootPem])
  const headers = { Host: 'elsewhere.example' }
  expect(await server.ask({ path, headers })).toMatchObject({ status: 403, json: { error: { code: 'invalid_host' } } })
})

test('the root certificate is not told in clear to another machine, where it could be another by the time it arrives', async () => {
  await using server = await TestServer.start({ sharedAt: '127.0.0.2', trustProxy: true })
  const headers = { 'X-Forwarded-For': '192.168.1.9' }
  expect(await server.ask({ path: '/intent-bus-root.pem', headers })).toMatchObject({ status: 403, json: { error: { code: 'https_required' } } })
})

test('a bus that was never shared has no root certificate', async () => {
  await using server = await TestServer.start()
  expect(await server.ask({ path: '/intent-bus-root.pem' })).toMatchObject({ status: 404, json: { error: { code: 'not_found' } } })
})
