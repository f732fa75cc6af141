import { beforeEach, describe, expect, test } from 'vitest'
import { SignatureRefusal } from '../../src/main/http/signatures/refusal.ts'
import type { ArrivalOutcome } from '../../src/shared/control/network-views.ts'
import { ProtocolError, type ErrorCode } from '../../src/shared/errors.ts'
import { visit, type Exchange, type State } from '../../src/main/http/exchange.ts'
import { ARRIVAL_WORDS, outcomeOfLeaving, outcomeOfRequest } from '../../src/main/lan/arrival-words.ts'
import { Arrivals } from '../../src/main/lan/arrivals.ts'
import { HandClock } from '../support/hand-clock.ts'

let clock: HandClock
let changes: number
let arrivals: Arrivals
beforeEach(() => {
  clock = new HandClock()
  changes = 0
  arrivals = new Arrivals(clock, (address) => address === '10.0.0.1', () => changes++)
})

/** A request from an address, as far as arrivals look at it. `known`: what the bus found out of who asks. */
function request(address: string, headers: Readonly<Record<string, string>> = {}, url = '/claim', known: Partial<State> = {}): Exchange {
  return { req: { url, headers }, state: { address, keyId: headers['x-api-key'], ...known } } as unknown as Exchange
}

function refused(code: ErrorCode, message = 'No.'): ProtocolError {
  return new ProtocolError(code, message)
}

/** What every refusal says of the way of a request that presents nothing: refused for its content, it has reached the bus. */
const WAYS: Readonly<Record<ErrorCode, ArrivalOutcome>> = {
  unauthorized: 'request',
  forbidden: 'limited',
  invalid_signature: 'wrong_signature',
  https_required: 'plain_http',
  invalid_host: 'wrong_host',
  cross_site: 'other_site',
  invalid_code: 'wrong_code',
  pairing_refused: 'request',
  not_found: 'request',
  method_not_allowed: 'request',
  request_timeout: 'request',
  payload_too_large: 'request',
  result_too_large: 'request',
  unsupported_encoding: 'request',
  unsupported_media_type: 'request',
  idempotency_conflict: 'request',
  rate_limited: 'request',
  limit_exceeded: 'request',
  headers_too_large: 'request',
  internal_error: 'request',
  database_busy: 'request',
  storage_unavailable: 'request',
  maintenance: 'request',
  shutting_down: 'request',
  invalid_request: 'request',
  invalid_json: 'request',
  invalid_path: 'request',
  invalid_query: 'request',
  invalid_goal: 'request',
  invalid_payload: 'request',
  invalid_namespace: 'request',
  invalid_visibility: 'request',
  invalid_priority: 'request',
  invalid_delay: 'request',
  invalid_max_attempts: 'request',
  invalid_backoff_base: 'request',
  invalid_target_worker: 'request',
  invalid_required_capability: 'request',
  invalid_capabilities: 'request',
  invalid_worker_id: 'request',
  invalid_publisher: 'request',
  invalid_idempotency_key: 'request',
  invalid_seconds: 'request',
  invalid_wait: 'request',
  invalid_claim_token: 'request',
  invalid_result: 'request',
  invalid_result_type: 'request',
  invalid_key: 'request',
  invalid_value: 'request',
  invalid_ttl: 'request',
  invalid_owner: 'request',
  invalid_api_key: 'request',
  invalid_confirm: 'request',
  invalid_scope: 'request'
}

describe('who came', () => {
  test('is told newest first, once for each address', () => {
    arrivals.answered(visit(request('10.0.0.2', { 'user-agent': 'curl/8' }), undefined))
    clock.jump(5)
    arrivals.answered(visit(request('10.0.0.3'), undefined))
    clock.jump(5)
    arrivals.answered(visit(request('10.0.0.2', { 'user-agent': 'x'.repeat(500), 'x-api-key': 'key_1' }), undefined))
    const now = clock.now()
    expect(arrivals.view).toMatchObject([
      { address: '10.0.0.2', firstAt: now - 10, lastAt: now, count: 2, outcome: 'request', agent: 'x'.repeat(160), key: 'key_1' },
      { address: '10.0.0.3', firstAt: now - 5, lastAt: now - 5, count: 1, agent: null, key: null }
    ])
  })

  test('has the name of its key or its browser, until somebody else comes from there', () => {
    const came = (headers: Readonly<Record<string, string>>, known: Partial<State> = {}): void =>
      arrivals.answered(visit(request('10.0.0.2', headers, '/claim', known), undefined))
    const who = () => ({ name: arrivals.view[0]!.name, key: arrivals.view[0]!.key })
    const worker = { 'user-agent': 'worker.sh' }
    came({ ...worker, 'x-api-key': 'key_1' }, { callerName: 'nas' })
    expect(who()).toEqual({ name: 'nas', key: 'key_1' })
    came(worker)
    expect(who()).toEqual({ name: 'nas', key: 'key_1' })
    came({ ...worker, 'x-api-key': 'key_2' })
    expect(who()).toEqual({ name: null, key: 'key_2' })
    came({ 'user-agent': 'Firefox' }, { callerName: 'Phone of Ada' })
    expect(who()).toEqual({ name: 'Phone of Ada', key: null })
    came(worker)
    expect(who()).toEqual({ name: null, key: null })
  })

  test('has no name of another when it is refused or leaves without saying who it is', () => {
    const worker = { 'user-agent': 'worker.sh' }
    const nas = () => arrivals.answered(visit(request('10.0.0.2', { ...worker, 'x-api-key': 'key_1' }, '/claim', { callerName: 'nas' }), undefined))
    const nobody = { name: null, key: null }
    nas()
    arrivals.answered(visit(request('10.0.0.2', worker), refused('invalid_host')))
    expect(arrivals.view[0]).toMatchObject({ ...nobody, outcome: 'wrong_host' })
    nas()
    arrivals.answered(visit(request('10.0.0.2', worker, '/pair'), refused('invalid_code')))
    expect(arrivals.view[0]).toMatchObject({ ...nobody, outcome: 'wrong_code' })
    nas()
    arrivals.left('10.0.0.2', 'ERR_SSL_TLSV1_ALERT_UNKNOWN_CA')
    expect(arrivals.view[0]).toMatchObject({ ...nobody, agent: null, outcome: 'distrusts_certificate' })
    nas()
    arrivals.answered(visit(request('10.0.0.2', { ...worker, 'x-api-key': 'key_1' }, '/claim', { callerName: 'nas' }), refused('forbidden')))
    expect(arrivals.view[0]).toMatchObject({ name: 'nas', key: 'key_1', outcome: 'limited' })
  })

  test('is told apart: who got through, and who did not, with counts of their own', () => {
    const came = (agent: string, refusal?: ProtocolError): void => {
      clock.jump(1)
      arrivals.answered(visit(request('10.0.0.2', { 'user-agent': agent, 'x-api-key': agent }, '/claim', { callerName: agent }), refusal))
    }
    const start = clock.now()
    came('nas')
    came('nas')
    came('old', refused('unauthorized'))
    expect(arrivals.view[0]).toMatchObject({ outcome: 'wrong_key', name: 'old', count: 3, lastAt: start + 3 })
    came('old', refused('unauthorized'))
    came('nas')
    expect(arrivals.view[0]).toMatchObject({
      ...{ outcome: 'request', name: 'nas', count: 5, firstAt: start + 1, lastAt: start + 5 },
      success: { name: 'nas', agent: 'nas', key: 'nas', count: 3, lastAt: start + 5, outcome: 'request', next: null },
      trouble: { name: 'old', agent: 'old', key: 'old', count: 2, lastAt: start + 4, outcome: 'wrong_key', next: expect.stringContaining('Pair it again') }
    })
    // Another trouble is counted anew.
    came('odd', refused('invalid_host'))
    expect(arrivals.view[0]).toMatchObject({ success: { count: 3 }, trouble: { count: 1, outcome: 'wrong_host' } })
  })

  test('is never this machine itself', () => {
    for (const address of ['10.0.0.1', '127.0.0.1', '::1', '']) {
      arrivals.answered(visit(request(address), undefined))
      arrivals.left(address, 'ERR_SSL_HTTP_REQUEST')
    }
    expect(arrivals.view).toEqual([])
  })

  test('is forgotten for others, the longest silent first', () => {
    for (let i = 0; i < 150; i++) {
      arrivals.answered(visit(request(`10.1.0.${i}`), undefined))
      clock.jump(1)
      arrivals.answered(visit(request('10.9.9.9'), undefined))
    }
    expect(arrivals.view).toHaveLength(100)
    expect(arrivals.view.map(({ address }) => address)).toEqual(expect.arrayContaining(['10.9.9.9', '10.1.0.149']))
    expect(arrivals.view.some(({ address }) => address === '10.1.0.0')).toBe(false)
  })

  test('is said at once, and then once a second at most', async () => {
    for (let i = 0; i < 50; i++) arrivals.answered(visit(request('10.0.0.2'), undefined))
    await clock.advance(0)
    expect(changes).toBe(1)
    for (let i = 0; i < 50; i++) arrivals.answered(visit(request('10.0.0.2'), undefined))
    await clock.advance(0.9)
    expect(changes).toBe(1)
    await clock.advance(0.2)
    expect(changes).toBe(2)
    await clock.advance(60)
    expect(changes).toBe(2)
    arrivals.close()
    arrivals.left('10.0.0.4', undefined)
    await clock.advance(5)
    expect(changes).toBe(2)
  })
})

describe('how it went', () => {
  test.each<[string, Readonly<Record<string, string>>, string, ProtocolError | undefined]>([
    ['request', {}, '/claim', undefined],
    ['request', {}, '/claim', refused('unauthorized', 'Missing API key.')],
    ['request', {}, '/admin/dead', refused('unauthorized', 'Authentication required.')],
    ['request', { 'x-api-key': 'k' }, '/claim', refused('rate_limited')],
    ['request', { 'x-api-key': 'k' }, '/intent', refused('invalid_goal')],
    ['wrong_key', { 'x-api-key': 'k' }, '/claim', refused('unauthorized', 'Invalid API key.')],
    ['wrong_password', { authorization: 'Basic x' }, '/admin/dead', refused('unauthorized')],
    ['wrong_password', { 'x-admin-token': 'x' }, '/admin/dead', refused('unauthorized')],
    ['wrong_password', {}, '/admin/control/login', refused('unauthorized', 'Wrong password.')],
    ['wrong_signature', { 'x-api-key': 'k' }, '/claim', new SignatureRefusal('wrong', 'Bad signature')],
    ['clock_off', { 'x-api-key': 'k' }, '/claim', new SignatureRefusal('stale', 'The clocks differ.')]
  ])('%s for %j at %s', (outcome, headers, url, refusal) => {
    arrivals.answered(visit(request('10.0.0.2', headers, url), refusal))
    expect(arrivals.view[0]).toMatchObject({ outcome })
    expect(arrivals.view[0]!.text).toMatch(/\.$/)
    expect(arrivals.view[0]!.next === null).toBe(outcome === 'request')
  })

  test.each([
    ['ERR_SSL_HTTP_REQUEST', 'spoke_http'],
    ['ERR_SSL_TLSV1_ALERT_UNKNOWN_CA', 'distrusts_certificate'],
    ['ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE', 'distrusts_certificate'],
    ['ERR_SSL_SSLV3_ALERT_CERTIFICATE_UNKNOWN', 'distrusts_certificate'],
    ['ERR_SSL_SSL/TLS_ALERT_CERTIFICATE_UNKNOWN', 'distrusts_certificate'],
    ['ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED', 'certificate_expired'],
    ['ERR_SSL_SSL/TLS_ALERT_CERTIFICATE_EXPIRED', 'certificate_expired'],
    ['ERR_SSL_TLSV1_ALERT_DECRYPT_ERROR', 'wrong_root'],
    ['ERR_SSL_UNSUPPORTED_PROTOCOL', 'broke_off'],
    ['ERR_TLS_HANDSHAKE_TIMEOUT', 'broke_off'],
    ['HPE_INVALID_METHOD', 'malformed'],
    ['HPE_HEADER_OVERFLOW', 'request'],
    ['ERR_HTTP_REQUEST_TIMEOUT', 'broke_off'],
    ['ECONNRESET', 'broke_off'],
    [undefined, 'broke_off']
  ])('leaving with %s is %s', (code, outcome) => {
    expect(outcomeOfLeaving(code)).toBe(outcome)
    arrivals.left('10.0.0.2', code)
    expect(arrivals.view[0]!.outcome).toBe(outcome)
  })

  test.each(Object.entries(WAYS))('a request that is refused by %s is %s', (code, outcome) => {
    expect(outcomeOfRequest({ refused: { code }, credentials: 'none' })).toBe(outcome)
    expect(outcomeOfRequest({ refused: { code }, credentials: 'key' })).toBe(code === 'unauthorized' ? 'wrong_key' : outcome)
  })

  test('a password that is asked for again is no matter of rights', () => {
    expect(outcomeOfRequest({ refused: { code: 'forbidden', field: 'password' }, credentials: 'none' })).toBe('request')
  })

  test.each(Object.entries(ARRIVAL_WORDS))('%s is told in sentences', (outcome, { text, next }) => {
    expect(text).toMatch(/^[A-Z].*\.$/)
    expect(next ?? 'Nothing.').toMatch(/^[A-Z].*\.$/)
    expect(next === null).toBe(outcome === 'request')
  })

  test('a spare connection of a browser says nothing against the requests beside it', () => {
    arrivals.answered(visit(request('10.0.0.2'), undefined))
    arrivals.left('10.0.0.2', undefined)
    expect(arrivals.view[0]).toMatchObject({ outcome: 'request', count: 1 })
    arrivals.left('10.0.0.2', 'ERR_SSL_TLSV1_ALERT_UNKNOWN_CA')
    expect(arrivals.view[0]!.outcome).toBe('distrusts_certificate')
    arrivals.answered(visit(request('10.0.0.2'), undefined))
    clock.jump(60)
    arrivals.left('10.0.0.2', undefined)
    expect(arrivals.view[0]!.outcome).toBe('broke_off')
  })
})
