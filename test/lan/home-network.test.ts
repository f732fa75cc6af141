import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { Command } from '../cli/cli.ts'
import { temporaryFolder } from '../support/folders.ts'
import { HomeNetwork, type Attempt, type NetworkHost } from '../support/home-network.ts'
import { allowNext, SharedBus } from './shared-bus.ts'

/** A bus that is shared, and other machines: each in a network namespace of its own. */

const OTHER_PIN = `sha256//${'A'.repeat(43)}=`
const trouble = HomeNetwork.trouble()

describe.skipIf(trouble !== undefined)('on a home network', () => {
  let network: HomeNetwork
  let home: NetworkHost
  let away: NetworkHost
  let shared: SharedBus
  beforeAll(async () => {
    network = await HomeNetwork.create(2)
    ;[home, away] = network.hosts as [NetworkHost, NetworkHost]
  })
  afterAll(() => network[Symbol.dispose]())
  afterEach(() => shared[Symbol.asyncDispose]())

  /** curl on the other machine; the answer's status behind what it printed. */
  function curl(...args: readonly string[]): Attempt {
    return away.attempt('curl', '-sS', '--max-time', '10', '-w', '\n%{http_code}', ...args)
  }

  function raw(url: string, root: string, request: string): string {
    const { hostname, port } = new URL(url)
    return away.attempt('python3', join(import.meta.dirname, 'visitor.py'), hostname, port, root, hostname, request).stdout
  }

  function visit(url: string, by: 'pin' | 'ca', trust: string): Attempt {
    return away.attempt(process.execPath, join(import.meta.dirname, 'visitor.ts'), url, shared.bus.mainKey, by, trust)
  }

  describe('a bus that is shared', () => {
    beforeEach(async () => {
      shared = await SharedBus.start(home)
    })

    test('is reached by whoever trusts its root or its pin, and nobody else', () => {
      const { urls, identity } = shared.view
      const [url] = urls as [string]
      const { pin, rootPath } = identity!
      expect(url).toBe('https://10.77.0.1:7611')
      expect(curl('--cacert', rootPath, `${url}/health`).stdout).toMatch(/"ok":true.*\n200$/)
      expect(curl('-k', '--pinnedpubkey', pin, `${url}/health`).stdout).toMatch(/\n200$/)
      expect(raw(url, rootPath, 'GET /health HTTP/1.1\\r\\nHost: localhost\\r\\nConnection: close\\r\\n\\r\\n')).toContain('200 OK')
      expect(visit(url, 'pin', pin)).toMatchObject({ code: 0, stdout: '"done"' })
      expect(visit(url, 'ca', rootPath)).toMatchObject({ code: 0, stdout: '"done"' })
      const openssl = away.attempt('sh', '-c', `openssl s_client -connect ${new URL(url).host} -CAfile ${rootPath} -verify_return_error -x509_strict -verify_ip 10.77.0.1 </dev/null`)
      expect(openssl.stdout).toContain('Verify return code: 0 (ok)')

      expect(curl(`${url}/health`).code).toBe(60)
      expect(curl('-k', '--pinnedpubkey', OTHER_PIN, `${url}/health`).code).toBe(90)
      expect(curl('--cacert', rootPath, '--resolve', 'elsewhere.local:7611:10.77.0.1', 'https://elsewhere.local:7611/health').code).toBe(60)
      expect(visit(url, 'pin', OTHER_PIN).stderr).toContain('not the pinned one')
    })

    test('says how it went for whoever came, and what to do', async () => {
      const { urls, identity } = shared.view
      const [url] = urls as [string]
      const { rootPath } = identity!
      const outcome = (): string | undefined => shared.arrivalFrom(away)?.outcome
      expect(outcome()).toBeUndefined()
      curl(url.replace('https', 'http'))
      expect(shared.arrivalFrom(away)).toMatchObject({ outcome: 'spoke_http', next: expect.stringContaining('https://'), key: null, count: 1 })
      curl(`${url}/health`)
      expect(outcome()).toBe('distrusts_certificate')
      curl('-k', '--pinnedpubkey', OTHER_PIN, `${url}/health`)
      expect(outcome()).toBe('broke_off')
      curl('--cacert', rootPath, '-A', 'pi4-worker/1.0', '-H', `X-API-KEY: ${shared.bus.mainKey}`, '-X', 'POST', `${url}/claim`)
      expect(shared.arrivalFrom(away)).toMatchObject({ outcome: 'request', agent: 'pi4-worker/1.0', key: 'main', next: null })
      curl('--cacert', rootPath, '-H', 'X-API-KEY: wrong', '-X', 'POST', `${url}/claim`)
      expect(outcome()).toBe('wrong_key')
      curl('--cacert', rootPath, '-u', 'admin:wrong', `${url}/admin/dead`)
      expect(outcome()).toBe('wrong_password')
      curl('--cacert', rootPath, '-H', 'Host: evil.example', `${url}/health`)
      expect(outcome()).toBe('wrong_host')
      expect(raw(url, rootPath, 'EHLO bus\\r\\n\\r\\n')).toContain('400 Bad Request')
      expect(shared.arrivalFrom(away)).toMatchObject({ outcome: 'malformed', agent: null, next: expect.stringContaining('HTTP/1.1') })
      const signed = (timestamp: number): readonly string[] => ['-H', `X-Timestamp: ${timestamp}`, '-H', 'X-Nonce: n', '-H', 'X-Signature: 00', '-H', `X-API-KEY: ${shared.bus.mainKey}`]
      const now = Math.floor(Date.now() / 1000)
      curl('--cacert', rootPath, ...signed(now - 400), '-X', 'POST', `${url}/claim`)
      expect(outcome()).toBe('clock_off')
      curl('--cacert', rootPath, ...signed(now), '-X', 'POST', `${url}/claim`)
      expect(outcome()).toBe('wrong_signature')
      away.attempt('timeout', '1', 'python3', '-c', "import socket; socket.create_connection(('10.77.0.1', 7611)).close()")
      expect(outcome()).toBe('broke_off')
      expect(JSON.stringify(shared.view.arrivals)).not.toContain(shared.bus.mainKey)
    })

    test('answers to no foreign name, whichever way it is asked', () => {
      const { urls, identity } = shared.view
      const [url] = urls as [string]
      const asked = (head: string): string => raw(url, identity!.rootPath, `${head}\\r\\nConnection: close\\r\\n\\r\\n`)
      for (const host of ['10.77.0.1:7611', 'localhost', identity!.names.find((name) => name.endsWith('.local'))!]) {
        expect(asked(`GET /health HTTP/1.1\\r\\nHost: ${host}`)).toContain('200 OK')
      }
      for (const head of [
        'GET /health HTTP/1.1\\r\\nHost: evil.example',
        'GET /health HTTP/1.1\\r\\nHost: 10.77.0.2',
        'GET /health HTTP/1.1\\r\\nHost: 10.77.0.1\\r\\nHost: 10.77.0.1',
        'GET /health HTTP/1.1\\r\\nX: y'
      ]) {
        expect(asked(head)).toMatch(/403 Forbidden[^]*invalid_host/)
      }
      for (const target of ['https://10.77.0.1:7611/health', 'http://evil.example/', 'evil.example:443']) {
        expect(asked(`GET ${target} HTTP/1.1\\r\\nHost: 10.77.0.1:7611`)).toMatch(/400 Bad Request/)
      }
    })

    test('lets operators in over HTTPS', () => {
      const { urls, identity } = shared.view
      const asked = curl('--cacert', identity!.rootPath, '-u', `admin:${shared.bus.password}`, `${urls[0]}/admin/dead`)
      expect(asked.stdout).toBe('[]\n200')
    })

    test('is shared as before after a crash, with the same pin and root', async () => {
      const { identity } = shared.view
      await shared.bus.kill('SIGKILL')
      await shared.startAgain()
      const again = shared.view
      expect(again).toMatchObject({ state: 'listening', identity: { pin: identity!.pin, fingerprint: identity!.fingerprint } })
      expect(curl('-k', '--pinnedpubkey', identity!.pin, `${again.urls[0]}/health`).stdout).toMatch(/\n200$/)
    })

    test('has settings that the environment decides', () => {
      expect(shared.call('settings.get', {}).fixed).toMatchObject({ share: 'BUS_SHARE', shareDiscovery: 'BUS_DISCOVERY' })
      expect(() => shared.call('settings.change', { share: false })).toThrow('BUS_SHARE')
    })
  })

  describe('a network that changes', () => {
    test('is followed: who trusts the bus reaches it at its new address, by root and by pin', async () => {
      shared = await SharedBus.start(home)
      const { identity } = shared.view
      const copy = shared.copyRoot('copied.pem')
      home.addAddress('fd77::1')
      const both = await shared.until(({ urls }) => urls.includes('https://[fd77::1]:7611'))
      expect(both.urls[0]).toBe('https://10.77.0.1:7611')
      away.addAddress('fd77::2')
      expect(curl('--cacert', copy, 'https://[fd77::1]:7611/health').stdout).toMatch(/\n200$/)

      home.removeAddress('10.77.0.1')
      home.addAddress('10.77.0.11')
      const moved = await shared.until(({ urls }) => urls[0] === 'https://10.77.0.11:7611')
      expect(moved.identity).toMatchObject({ pin: identity!.pin, fingerprint: identity!.fingerprint })
      expect(moved.identity!.names).toContain('10.77.0.11')
      expect(curl('--cacert', copy, 'https://10.77.0.11:7611/health').stdout).toMatch(/\n200$/)
      expect(visit('https://10.77.0.11:7611', 'pin', identity!.pin).stdout).toBe('"done"')
      expect(curl('-k', '--connect-timeout', '2', 'https://10.77.0.1:7611/health').code).toBe(28)

      home.removeAddress('10.77.0.11')
      home.removeAddress('fd77::1')
      expect(await shared.until(({ state }) => state === 'waiting')).toMatchObject({ urls: [], problem: expect.stringContaining('no private network') })
      home.addAddress('10.77.0.1')
      await shared.until(({ state }) => state === 'listening')
      expect(curl('--cacert', copy, 'https://10.77.0.1:7611/health').stdout).toMatch(/\n200$/)
      away.removeAddress('fd77::2')
    })
  })

  describe('a network of IPv6 alone', () => {
    test('is served and paired over, and each machine of its /64 counts for itself', async () => {
      shared = await SharedBus.start(home)
      home.addAddress('fd77::1')
      away.addAddress('fd77::2')
      away.addAddress('fd77::3')
      home.removeAddress('10.77.0.1')
      const url = 'https://[fd77::1]:7611'
      const { identity } = await shared.until(({ urls }) => urls[0] === url)
      const root = identity!.rootPath
      expect(curl('--cacert', root, `${url}/health`).stdout).toMatch(/\n200$/)
      expect(visit(url, 'ca', root)).toMatchObject({ code: 0, stdout: '"done"' })

      using folder = temporaryFolder()
      const { command, curl: line } = shared.call('pairing.start', {}).code!
      const [, ...args] = command.replaceAll("'", '').split(' ')
      await using pairing = new Command(args, { HOME: folder.path }, undefined, away)
      await allowNext(shared)
      expect(await pairing.finished).toMatchObject({ code: 0, stdout: expect.stringContaining(`at ${url}.`) })
      expect(line).toContain(`'${url}/pair'`)

      const guess = (from: string, ...args: readonly string[]): Attempt => curl('--interface', from, '--cacert', root, '-H', 'X-API-KEY: wrong', ...args)
      guess('fd77::2', '-Z', `${url}/get/[1-10]`)
      const secondsFor = (from: string): number => Number(guess(from, '-o', '/dev/null', '-w', '%{time_total}', `${url}/get/k`).stdout)
      expect(secondsFor('fd77::2')).toBeGreaterThan(1)
      expect(secondsFor('fd77::3')).toBeLessThan(1)
      home.addAddress('10.77.0.1')
      home.removeAddress('fd77::1')
    })
  })

  describe('sharing by the settings', () => {
    const ENV = { BUS_SHARE: '' }

    test('opens a port for others and closes it again, with all that waits there', async () => {
      shared = await SharedBus.start(home, ENV)
      const url = 'https://10.77.0.1:7611'
      expect(curl('-k', `${url}/health`).code).toBe(7)
      shared.call('settings.change', { share: true })
      const { identity } = shared.view
      expect(curl('--cacert', identity!.rootPath, `${url}/health`).stdout).toMatch(/\n200$/)

      const waiting = away.spawn('curl', ['-s', '-w', '%{http_code}', '--cacert', identity!.rootPath, '-X', 'POST', '-H', `X-API-KEY: ${shared.bus.mainKey}`, `${url}/claim?wait=30`], { stdio: 'pipe' })
      let answer = ''
      waiting.stdout!.setEncoding('utf8').on('data', (chunk: string) => (answer += chunk))
      await shared.until(({ arrivals }) => arrivals.some(({ address }) => address === away.address))
      await new Promise((resolve) => setTimeout(resolve, 300))
      const { count } = shared.arrivalFrom(away)!
      shared.call('settings.change', { share: false })
      await new Promise((resolve) => waiting.once('close', resolve))
      expect(answer).toBe('204')
      // What a listener says as it is let go shows nothing of the way to the next one.
      expect(shared.arrivalFrom(away)!.count).toBe(count)
      expect(curl('-k', `${url}/health`).code).toBe(7)
      expect(shared.view).toMatchObject({ state: 'off', urls: [], identity: { pin: identity!.pin } })
      const events = shared.call('audit.list', {}).entries.map(({ event }) => event)
      expect(events.slice(0, 4)).toEqual(['sharing.stopped', 'settings.changed', 'sharing.started', 'settings.changed'])
    })

    test('survives a restart', async () => {
      shared = await SharedBus.start(home, ENV)
      shared.call('settings.change', { share: true, sharePort: 7622 })
      await shared.bus.kill('SIGTERM')
      await shared.startAgain()
      expect(shared.view.urls[0]).toBe('https://10.77.0.1:7622')
    })

    test('refuses a port that is taken, and goes on as before', async () => {
      shared = await SharedBus.start(home, ENV)
      const { port } = new URL(shared.bus.url)
      const taken = home.spawn('python3', ['-c', "import socket, time; s = socket.socket(); s.bind(('10.77.0.1', 7633)); s.listen(); print('there', flush=True); time.sleep(60)"], { stdio: 'pipe' })
      await new Promise((resolve) => taken.stdout!.once('data', resolve))
      expect(() => shared.call('settings.change', { share: true, sharePort: 7633 })).toThrow('Port 7633 on 10.77.0.1 is taken')
      expect(shared.view).toMatchObject({ state: 'off', urls: [] })
      expect(shared.call('settings.get', {}).values).toMatchObject({ share: false, sharePort: 7611 })
      expect(new URL(shared.bus.url).port).toBe(port)
      taken.kill('SIGKILL')
    })
  })

  describe('plain HTTP', () => {
    const REFUSED = ['/admin/', '/admin/dead', '/admin/dashboard', '/metrics', '/admin/control/status.get', '/pair'] as const

    /** Jobs pass, what operators do does not. */
    function expectOnlyClients(url: string): void {
      const key = ['-H', `X-API-KEY: ${shared.bus.mainKey}`] as const
      expect(curl(...key, '-d', '{"goal":"plain","payload":1}', `${url}/intent`).stdout).toMatch(/\n201$/)
      expect(curl(...key, '-X', 'POST', `${url}/claim`).stdout).toMatch(/"goal":"plain".*\n200$/)
      for (const path of REFUSED) {
        expect(curl('-u', `admin:${shared.bus.password}`, `${url}${path}`).stdout).toMatch(/https_required.*\n403$/)
      }
    }

    test('is not there unasked', async () => {
      shared = await SharedBus.start(home)
      const { port } = new URL(shared.bus.url)
      expect(curl(`http://10.77.0.1:${port}/health`).code).toBe(7)
    })

    test('that was chosen serves jobs, and never operators', async () => {
      shared = await SharedBus.start(home, { BUS_SHARE_PLAIN: 'true' })
      const { plainUrls } = shared.view
      const { port } = new URL(shared.bus.url)
      expect(plainUrls).toEqual([`http://10.77.0.1:${port}`])
      expectOnlyClients(plainUrls[0]!)
      expect(shared.arrivalFrom(away)).toMatchObject({ outcome: 'plain_http', count: 2 + REFUSED.length })
    })

    test('on all addresses likewise', async () => {
      shared = await SharedBus.start(home, { BUS_SHARE: '', BUS_HOST: '0.0.0.0' })
      expectOnlyClients(`http://10.77.0.1:${new URL(shared.bus.url).port}`)
    })
  })
})
