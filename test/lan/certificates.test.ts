import { spawn, spawnSync } from 'node:child_process'
import { generateKeyPairSync, X509Certificate, type KeyPairKeyObjectResult } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, request } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { makeLeaf, makeRoot } from '../../src/main/lan/certificate.ts'
import { isPermitted, machineNames, permittedDomains } from '../../src/main/lan/permitted.ts'

const folder = mkdtempSync(join(tmpdir(), 'intent-bus-certificates-'))
afterAll(() => rmSync(folder, { recursive: true }))

const DAY = 86_400
const NOW = Date.now() / 1000
const ROOT_NAME = 'Intent Bus Küche root 3f9a2c'
const rootKeys = newKeys()
const leafKeys = newKeys()
const DOMAINS = permittedDomains(['kitchen', 'kitchen.fritz.box'])
const ROOT = await makeRoot({ name: ROOT_NAME, key: rootKeys.privateKey, publicKey: rootKeys.publicKey, domains: DOMAINS, from: NOW - DAY, until: NOW + 3_652 * DAY })

function newKeys(): KeyPairKeyObjectResult {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' })
}

function leafFor(...names: readonly string[]): Promise<string> {
  return makeLeaf({
    name: 'Intent Bus',
    publicKey: leafKeys.publicKey,
    names,
    root: ROOT,
    rootKey: rootKeys.privateKey,
    from: NOW - DAY,
    until: NOW + 90 * DAY
  })
}

function file(name: string, content: string): string {
  const path = join(folder, name)
  writeFileSync(path, content)
  return path
}

const rootFile = file('root.pem', ROOT)

function run(program: string, ...args: readonly string[]): { code: number | null; output: string } {
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8' })
  return { code: status, output: stdout + stderr }
}

/** What clients of several makes say of a server on this machine that shows this leaf and is asked for by this name. */
async function verdicts(leaf: string, name: string): Promise<Record<string, boolean>> {
  const server = createServer({ key: leafKeys.privateKey.export({ type: 'pkcs8', format: 'pem' }), cert: leaf + ROOT }, (_req, res) => res.end('fine'))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const node = await new Promise<boolean>((resolve) => {
    const asked = request({ host: '127.0.0.1', port, ca: ROOT, agent: false, servername: name, headers: { Host: name } }, (answer) => {
      answer.resume()
      resolve(answer.statusCode === 200)
    })
    asked.on('error', () => resolve(false))
    asked.end()
  })
  const checker = file('client.py', PYTHON)
  const others = await Promise.all([
    later('curl', '-s', '--cacert', rootFile, '--resolve', `${name}:${port}:127.0.0.1`, `https://${name}:${port}/`),
    later('python3', checker, rootFile, String(port), name)
  ])
  server.close()
  server.closeAllConnections()
  return { node, curl: others[0]!, python: others[1]! }
}

const PYTHON = `
import socket, ssl, sys
ca, port, name = sys.argv[1:]
context = ssl.create_default_context(cafile=ca)
context.verify_flags |= ssl.VERIFY_X509_STRICT
with context.wrap_socket(socket.create_connection(('127.0.0.1', int(port))), server_hostname=name) as s:
    s.sendall(b'GET / HTTP/1.1\\r\\nHost: x\\r\\nConnection: close\\r\\n\\r\\n')
    sys.exit(0 if b'200 OK' in s.recv(1000) else 1)
`

/** Whether a program succeeds, while this process answers it. */
function later(program: string, ...args: readonly string[]): Promise<boolean> {
  return new Promise((resolve) => spawn(program, args, { stdio: 'ignore' }).on('close', (code) => resolve(code === 0)))
}

describe('a root', () => {
  const text = run('openssl', 'x509', '-in', rootFile, '-noout', '-text').output

  test('signs leaves for private addresses and names of its own, and nothing else', () => {
    const root = new X509Certificate(ROOT)
    expect(root.verify(root.publicKey)).toBe(true)
    expect([root.ca, root.subject]).toEqual([true, `CN=${ROOT_NAME}`])
    expect(text).toMatch(/Basic Constraints: critical\s+CA:TRUE, pathlen:0/)
    expect(text).toMatch(/Key Usage: critical\s+Certificate Sign/)
    expect(text).toMatch(/Name Constraints: critical\s+Permitted:/)
    for (const permitted of ['IP:10.0.0.0/255.0.0.0', 'IP:172.16.0.0/255.240.0.0', 'IP:100.64.0.0/255.192.0.0', 'IP:FC00:0:0:0:0:0:0:0/FE00:', 'DNS:local\n', 'DNS:kitchen.fritz.box']) {
      expect(text).toContain(permitted)
    }
  })

  test('is taken by the strictest check', async () => {
    const leaf = file('leaf.pem', await leafFor('192.168.1.7', 'fd00::7', 'kitchen.fritz.box', 'kitchen.local', 'localhost', '127.0.0.1', '::1'))
    expect(run('openssl', 'verify', '-x509_strict', '-purpose', 'sslserver', '-CAfile', rootFile, leaf)).toMatchObject({ code: 0 })
  })

  test('cannot sign another authority', async () => {
    const keys = newKeys()
    const below = file('below.pem', await makeRoot({ name: 'below', key: keys.privateKey, publicKey: keys.publicKey, domains: [], from: NOW - DAY, until: NOW + DAY }))
    expect(run('openssl', 'verify', '-CAfile', rootFile, below).code).not.toBe(0)
  })

  test.each(['Küche, CN=example.com', 'a+CN=b', '"quoted"', '#0c0141', 'a\\,b', ' spaces '])('is called %j, whatever that would mean elsewhere', async (name) => {
    const { publicKey, privateKey } = newKeys()
    const root = await makeRoot({ name, key: privateKey, publicKey, domains: [], from: NOW, until: NOW + DAY })
    expect(new X509Certificate(root).toLegacyObject().subject).toEqual({ CN: name })
  })

  test('holds its times to the second, also over the middle of the century', async () => {
    const { publicKey, privateKey } = newKeys()
    const [from, until] = [Date.UTC(2049, 11, 31, 23, 59, 59, 900) / 1000, Date.UTC(2050, 0, 1, 0, 0, 0, 900) / 1000]
    const root = file('century.pem', await makeRoot({ name: 'century', key: privateKey, publicKey, domains: [], from, until }))
    const { output } = run('openssl', 'asn1parse', '-in', root)
    expect(output).toMatch(/UTCTIME +:491231235959Z\n.*GENERALIZEDTIME +:20500101000000Z\n/)
  })
})

describe('a leaf', () => {
  test('is for its names, and good for servers only', async () => {
    const leaf = new X509Certificate(await leafFor('10.0.0.7', 'fd00::7', 'kitchen.local'))
    expect([leaf.ca, leaf.subjectAltName]).toEqual([false, 'IP Address:10.0.0.7, IP Address:FD00:0:0:0:0:0:0:7, DNS:kitchen.local'])
    expect(leaf.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1'])
    expect(leaf.verify(rootKeys.publicKey)).toBe(true)
    const client = file('client.pem', await leafFor('kitchen.local'))
    expect(run('openssl', 'verify', '-purpose', 'sslclient', '-CAfile', rootFile, client).code).not.toBe(0)
  })

  test.each(['kitchen.local', 'kitchen.fritz.box', 'localhost'])('for %s is taken by every client', async (name) => {
    expect(await verdicts(await leafFor('127.0.0.1', name), name)).toEqual({ node: true, curl: true, python: true })
  })

  test.each(['example.com', 'kitchen.example.com', 'local.example.com', 'fritz.box', 'login.bank.kitchen'])('for the foreign name %s is refused by every client', async (name) => {
    const leaf = await leafFor('127.0.0.1', name)
    expect(await verdicts(leaf, name)).toEqual({ node: false, curl: false, python: false })
    const { code, output } = run('openssl', 'verify', '-CAfile', rootFile, file('foreign.pem', leaf))
    expect([code, output]).toEqual([2, expect.stringContaining('permitted subtree violation')])
  })

  test.each(['8.8.8.8', '2001:4860:4860::8888', '172.32.0.1', '100.128.0.1'])('for the public address %s is refused by every client', async (address) => {
    const leaf = await leafFor('127.0.0.1', 'kitchen.local', address)
    expect(await verdicts(leaf, 'kitchen.local')).toEqual({ node: false, curl: false, python: false })
    expect(run('openssl', 'verify', '-CAfile', rootFile, file('foreign.pem', leaf)).code).toBe(2)
  })

  test.each([
    ['10.0.0.1', '10.0.0.1'],
    ['::1', '0:0:0:0:0:0:0:1'],
    ['fd00:0:0:0:0:0:0:2', 'FD00:0:0:0:0:0:0:2'],
    ['2001:db8::1:2', '2001:DB8:0:0:0:0:1:2'],
    ['::ffff:10.0.0.1', '0:0:0:0:0:FFFF:A00:1']
  ])('holds the address %s whole', async (address, held) => {
    expect(new X509Certificate(await leafFor(address)).subjectAltName).toBe(`IP Address:${held}`)
  })

  test('is told from its root by key identifiers, and from every other leaf by its number', async () => {
    const [first, second] = [file('first.pem', await leafFor('kitchen')), file('second.pem', await leafFor('kitchen'))]
    const idOf = (path: string, extension: string): string => run('openssl', 'x509', '-in', path, '-noout', '-ext', extension).output.split('\n')[1]!.trim()
    expect(idOf(first, 'authorityKeyIdentifier')).toBe(idOf(rootFile, 'subjectKeyIdentifier'))
    expect(idOf(first, 'subjectKeyIdentifier')).not.toBe(idOf(rootFile, 'subjectKeyIdentifier'))
    const numbers = [first, second].map((path) => run('openssl', 'x509', '-in', path, '-noout', '-serial').output)
    expect(numbers[0]).not.toBe(numbers[1])
  })
})

describe('what a root permits', () => {
  test.each(['10.0.0.1', '172.16.0.1', '172.31.255.255', '192.168.255.1', '169.254.1.1', '100.64.0.1', 'fd12::1', 'fe80::1', '::1', '127.0.0.1', 'a.local', 'kitchen.local', 'kitchen.fritz.box', 'x.localhost'])('%s is permitted', (name) => {
    expect(isPermitted(name, DOMAINS)).toBe(true)
  })

  test.each(['172.15.0.1', '11.0.0.1', '192.169.0.1', '::2', '2001:db8::1', 'fritz.box', 'kitchen', 'x.kitchen', 'local.example', 'notlocal', 'a_b.local', '*.local', '', '-a.local', 'a..local'])('%j is not', (name) => {
    expect(isPermitted(name, DOMAINS)).toBe(false)
  })

  test('a machine whose name is none for DNS has none', () => {
    expect(machineNames('Kitchen.Fritz.Box.')).toEqual(['kitchen.fritz.box', 'kitchen'])
    expect(machineNames('my_machine')).toEqual([])
    expect(machineNames('Küche')).toEqual([])
  })
})
