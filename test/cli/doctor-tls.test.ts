import { writeFileSync } from 'node:fs'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { CERTIFICATE, CERTIFICATE_OF_ANOTHER_NAME, KEY, PIN } from '../client/certificate.ts'
import { temporaryFolder } from '../support/folders.ts'
import { jsonOf } from './cli.ts'

/** What the doctor says of certificates and pins. */

const OTHER_PIN = `sha256//${'A'.repeat(43)}=`

async function diagnose(certificate: string, args: (file: string) => readonly string[]): Promise<Readonly<Record<string, string>>> {
  using folder = temporaryFolder()
  const file = join(folder.path, 'root.pem')
  writeFileSync(file, certificate)
  const server = createServer({ key: KEY, cert: certificate }, (req, res) => {
    if (req.url === '/health') res.end(JSON.stringify({ ok: true, ts: Date.now() / 1000, version: '7.61' }))
    else res.writeHead(401).end('{"error":{"code":"unauthorized","message":"Invalid API key."}}')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`
  const { value } = await jsonOf(['doctor', '--url', url, ...args(file)], { INTENT_API_KEY: 'k' })
  server.closeAllConnections()
  server.close()
  const checks = value.checks as readonly { readonly name: string; readonly outcome: string; readonly text: string }[]
  return Object.fromEntries(checks.map(({ name, outcome, text }) => [name, `${outcome}: ${text}`]))
}

test('nothing is known of a bus with a certificate of its own', async () => {
  const found = await diagnose(CERTIFICATE, () => [])
  expect(found.certificate).toBe('trouble: The certificate is strange to this machine.')
  expect(found.reachable).toMatch(/^trouble/)
  expect(found).not.toHaveProperty('pin')
})

test('by its pin alone', async () => {
  const found = await diagnose(CERTIFICATE, () => ['--pin', PIN.replace('sha256//', '')])
  expect(found.pin).toBe('fine: It shows the key that is pinned.')
  expect(found.certificate).toBe('fine: The certificate is strange to this machine: the pin decides.')
  expect(found.reachable).toMatch(/^fine/)
})

test('by its root', async () => {
  const found = await diagnose(CERTIFICATE, (file) => ['--ca', file])
  expect(found.certificate).toBe('fine: The certificate is good until 2120-01-01.')
  expect(found.reachable).toMatch(/^fine/)
})

test('by a root, for another name', async () => {
  const found = await diagnose(CERTIFICATE_OF_ANOTHER_NAME, (file) => ['--ca', file])
  expect(found.certificate).toBe('trouble: The certificate is for other names and addresses than this one.')
  expect(found.reachable).toMatch(/^trouble/)
})

test('by pin and root, for another name: the pin decides for this program only', async () => {
  const found = await diagnose(CERTIFICATE_OF_ANOTHER_NAME, (file) => ['--pin', PIN, '--ca', file])
  expect(found.certificate).toContain('programs that trust the root refuse it')
  expect(found.certificate).toMatch(/^warning/)
})

test('another key than the pinned one', async () => {
  const found = await diagnose(CERTIFICATE, () => ['--pin', OTHER_PIN])
  expect(found.pin).toContain(`shows another key than the pinned one: ${PIN}`)
  expect(found.reachable).toMatch(/^trouble/)
})
