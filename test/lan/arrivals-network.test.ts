import { X509Certificate } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ArrivalView } from '../../src/shared/control/network-views.ts'
import { HomeNetwork, type NetworkHost } from '../support/home-network.ts'
import { allowNext, SharedBus } from './shared-bus.ts'

/** What a bus says of who came, by what programs of other machines really do. */

const trouble = HomeNetwork.trouble()
const DAY = 86_400

describe.skipIf(trouble !== undefined)(`what is said of a machine of the network${trouble === undefined ? '' : ` (${trouble})`}`, () => {
  let network: HomeNetwork
  let away: NetworkHost
  let shared: SharedBus
  let url: string
  let root: string
  beforeAll(async () => {
    network = await HomeNetwork.create(2)
    const [home, other] = network.hosts as [NetworkHost, NetworkHost]
    away = other
    shared = await SharedBus.start(home, { BUS_NAME: 'cellar' })
    url = shared.view.urls[0]!
    root = shared.view.identity!.rootPath
  })
  afterAll(async () => {
    await shared?.[Symbol.asyncDispose]()
    network?.[Symbol.dispose]()
  })

  const arrival = (): ArrivalView => shared.arrivalFrom(away)!

  /** curl on the other machine, which trusts the bus; what it printed. */
  function curl(...args: readonly string[]): string {
    return away.attempt('curl', '-sS', '--max-time', '10', '--cacert', root, ...args).stdout
  }

  /** A TLS client on the other machine that leaves at the first error. */
  function openssl(...args: readonly string[]): void {
    away.attempt('sh', '-c', 'openssl s_client -connect "$0" -verify_return_error "$@" </dev/null', new URL(url).host, ...args)
  }

  describe('that does not take the certificate', () => {
    const at = (days: number): string => String(Math.floor(Date.now() / 1000) + days * DAY)

    test('as its clock runs ahead', () => {
      openssl('-CAfile', root, '-attime', at(400))
      expect(arrival()).toMatchObject({ outcome: 'certificate_expired', next: expect.stringContaining('clocks') })
    })

    test('as its clock is behind: OpenSSL gives no reason, so the clock is only one of them', () => {
      openssl('-CAfile', root, '-attime', at(-400))
      expect(arrival()).toMatchObject({ outcome: 'distrusts_certificate', next: expect.stringContaining('clock') })
    })

    test('as it trusts another root of the same name', () => {
      const name = new X509Certificate(shared.view.identity!.rootPem).subject.replace('CN=', '')
      const older = shared.file('older.pem')
      const made = away.attempt(
        ...['openssl', 'req', '-x509', '-nodes', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-keyout', '/dev/null'] as const,
        ...['-subj', `/CN=${name}`, '-days', '9', '-addext', 'subjectKeyIdentifier=none', '-out', older]
      )
      expect(made.code, made.stderr).toBe(0)
      openssl('-CAfile', older)
      expect(arrival()).toMatchObject({ outcome: 'wrong_root' })
    })
  })

  describe('that may not do what it asks for', () => {
    test('by its key: it is named, and what it asks for is told apart from its way', () => {
      const { id, secret } = shared.call('keys.create', { owner: 'nas', scope: { roles: null, namespaces: null, goals: ['backup'] } })
      const claim = (goal: string): string => curl('-A', 'worker.sh', '-H', `X-API-KEY: ${secret}`, '-X', 'POST', `${url}/claim?goal=${goal}`)
      claim('backup')
      expect(arrival()).toMatchObject({ outcome: 'request', name: 'nas', key: id, agent: 'worker.sh', next: null })
      expect(claim('resize')).toContain('forbidden')
      expect(arrival()).toMatchObject({ outcome: 'limited', name: 'nas', next: expect.stringContaining('Limits') })
      shared.call('keys.rename', { id, owner: 'cellar nas' })
      claim('backup')
      expect(arrival()).toMatchObject({ outcome: 'request', name: 'cellar nas' })
      shared.call('keys.revoke', { id })
      expect(arrival()).toMatchObject({ outcome: 'request', name: 'cellar nas' })
      claim('backup')
      expect(arrival()).toMatchObject({ outcome: 'wrong_key', name: null, key: null })
      expect(JSON.stringify(shared.view)).not.toContain(secret)
    })

    test('by the rights of its browser, which is named as it was let in', async () => {
      const jar = shared.file('cookies')
      const ask = (path: string, body: object, ...more: readonly string[]): string =>
        curl('-c', jar, '-b', jar, '-H', `Origin: ${url}`, '-H', 'Content-Type: application/json', ...more, '-d', JSON.stringify(body), `${url}/admin/control/${path}`)
      const { code } = shared.call('pairing.start', {}).code!
      const { request, token } = JSON.parse(ask('pair', { code, name: 'Phone of Ada' }))
      await allowNext(shared, { rights: ['watch'] })
      const { session } = JSON.parse(ask('pair/wait', { request, token }))
      const own = ['-H', `X-Intent-Session: ${session}`]
      expect(ask('status.get', {}, ...own)).toContain('"value"')
      expect(arrival()).toMatchObject({ outcome: 'request', name: 'Phone of Ada', key: null })
      expect(ask('audit.list', {}, ...own)).toContain('forbidden')
      expect(arrival()).toMatchObject({ outcome: 'limited', name: 'Phone of Ada' })
    })
  })

  test('that asks with a code that is over', () => {
    expect(curl('-d', '{"code":"AAAA-AAAA","name":"pi"}', '-H', 'Content-Type: application/json', `${url}/pair`)).toContain('invalid_code')
    expect(arrival()).toMatchObject({ outcome: 'wrong_code', next: expect.stringContaining('Pair a device') })
  })

  test('whose browser shows a page of another site', () => {
    expect(curl('-H', 'Origin: https://evil.example', '-X', 'POST', `${url}/claim`)).toContain('cross_site')
    expect(arrival()).toMatchObject({ outcome: 'other_site', next: expect.stringContaining('BUS_ALLOWED_ORIGINS') })
  })
})
