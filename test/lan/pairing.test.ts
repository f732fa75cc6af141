import { expect, test } from 'vitest'
import { systemRandom } from '../../src/main/bus/random.ts'
import { PairingCode } from '../../src/main/lan/pairing/code.ts'
import { FETCH_LIFETIME, MAX_WAITING, REQUEST_LIFETIME } from '../../src/main/lan/pairing/pairing.ts'
import { readCode } from '../../src/shared/pairing.ts'
import { busProof, deviceProof, isBusProof, proofKey } from '../../src/shared/pairing-proof.ts'
import { settle } from '../support/hand-clock.ts'
import { TestServer } from '../support/test-server.ts'
import { PairingRig } from './pairing-rig.ts'

const PIN = `sha256//${'A'.repeat(43)}=`
const NONCE = '0123456789abcdef'.repeat(2)
const WRONG = { status: 403, json: { error: { code: 'invalid_code', message: expect.stringContaining('was used, or is over') } } }

/** A code that is not the one that is shown. */
function other(code: string): string {
  return (code[0] === '0' ? '1' : '0') + code.slice(1)
}

test('a device with the code waits, is let in, and gets a key of its own, within its limits', async () => {
  await using rig = await PairingRig.start()
  const code = await rig.show()
  expect(code).toMatch(/^[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}$/)
  const asked = await rig.ask(code.toLowerCase().replace('-', ' '))
  expect(asked).toMatchObject({ status: 202, json: { status: 'waiting', expires_in: REQUEST_LIFETIME } })
  expect(asked.json).not.toHaveProperty('proof')
  expect(await rig.newest()).toMatchObject({ kind: 'worker', name: 'pi', state: 'waiting', address: '127.0.0.1' })
  expect((await rig.call('status.get', {})).pairingRequests).toBe(1)
  expect((await rig.call('pairing.get', {})).code).toBeNull()

  const scope = { roles: ['claim' as const], namespaces: null, goals: ['resize.*'] }
  await rig.allow({ name: 'Pi in the attic', limits: { scope, rateLimit: 10 } })
  const { status, json } = await rig.question(asked)
  expect(status).toBe(200)
  expect(json).toEqual({
    status: 'allowed',
    key: expect.stringMatching(/^tk_/),
    key_id: expect.stringMatching(/^key_/),
    name: 'Pi in the attic',
    bus: {
      name: rig.server.sharing.view().busName,
      url: rig.server.sharing.urls[0],
      urls: rig.server.sharing.urls,
      pin: rig.pin,
      ca: expect.stringContaining('-----BEGIN CERTIFICATE-----')
    },
    limits: { scope, expiresAt: null, rateLimit: 10 }
  })
  expect((await rig.newest()).state).toBe('taken')
  expect((await rig.call('status.get', {})).pairingRequests).toBe(0)
  expect((await rig.server.post('/claim?goal=resize.png', undefined, {}, json.key)).status).toBe(204)
  expect((await rig.server.post('/claim?goal=delete', undefined, {}, json.key)).status).toBe(403)
  expect(await rig.trail()).toMatchObject([
    { event: 'pairing.allowed', actor: 'desktop', address: '', subject: 'Pi in the attic', detail: `${json.key_id}: claim; goals resize.*; 10 requests a minute` },
    { event: 'pairing.asked', actor: '', address: '127.0.0.1', subject: 'pi', detail: 'worker' },
    { event: 'pairing.started', actor: 'desktop' },
    { event: 'bus.started' }
  ])
})

test('the answer is held until somebody has decided', async () => {
  await using rig = await PairingRig.start({ isClockReal: true })
  const held = rig.ask(await rig.show(), { wait: 30 })
  await expect.poll(async () => (await rig.newest())?.state).toBe('waiting')
  await rig.allow()
  expect(await held).toMatchObject({ status: 200, json: { status: 'allowed' } })

  const refused = rig.ask(await rig.show(), { wait: 30 })
  await expect.poll(async () => (await rig.newest()).state).toBe('waiting')
  await rig.call('pairing.decide', { id: (await rig.newest()).id, allow: false })
  expect(await refused).toMatchObject({ status: 403, json: { error: { code: 'pairing_refused' } } })
  expect(await rig.ask(await rig.show(), { wait: 0.05 })).toMatchObject({ status: 202 })
})

test('a device that only knows the code proves it, and is shown that the bus knows it, too', async () => {
  await using rig = await PairingRig.start()
  const code = readCode(await rig.show())!
  const { pairing } = (await rig.device('/pair')).json
  const key = await proofKey(code, pairing, rig.pin)
  const proof = await deviceProof(key, NONCE, ' pi ')
  const asked = await rig.device('/pair', { pairing, nonce: NONCE, proof, name: ' pi ' })
  expect(asked.status).toBe(202)
  expect(await isBusProof(key, asked.json.proof, NONCE)).toBe(true)
  expect(await rig.newest()).toMatchObject({ name: 'pi' })
  await rig.allow()
  expect((await rig.question(asked)).json.key).toMatch(/^tk_/)
})

test.each([
  ['of another pin', async (code: string, pairing: string) => proofKey(code, pairing, `sha256//${'A'.repeat(43)}=`)],
  ['of another code', async (code: string, pairing: string, pin: string) => proofKey(other(code), pairing, pin)]
])('a proof %s counts as a wrong code', async (_what, keyOf) => {
  await using rig = await PairingRig.start()
  const code = readCode(await rig.show())!
  const { pairing } = (await rig.device('/pair')).json
  const key = await keyOf(code, pairing, rig.pin)
  const proof = await deviceProof(key, NONCE, 'pi')
  const answer = await rig.device('/pair', { pairing, nonce: NONCE, proof, name: 'pi' })
  expect(answer).toMatchObject(WRONG)
  expect(answer.text).not.toContain(await busProof(key, NONCE))
  expect((await rig.call('pairing.get', {})).wrongCodes.count).toBe(1)
})

test('a proof counts once, and for its own name only', async () => {
  await using rig = await PairingRig.start()
  const code = readCode(await rig.show())!
  const { pairing } = (await rig.device('/pair')).json
  const proof = await deviceProof(await proofKey(code, pairing, rig.pin), NONCE, 'pi')
  expect(await rig.device('/pair', { pairing, nonce: NONCE, proof, name: 'thief' })).toMatchObject(WRONG)
  expect((await rig.device('/pair', { pairing, nonce: NONCE, proof, name: 'pi' })).status).toBe(202)
  expect(await rig.device('/pair', { pairing, nonce: NONCE, proof, name: 'pi' })).toMatchObject(WRONG)
})

test('a code that is wrong, used, over, replaced or not there is refused by the same words', async () => {
  await using rig = await PairingRig.start()
  const answers = [await rig.ask('K7QF-92MX')]
  const code = await rig.show()
  answers.push(await rig.ask(other(code)), await rig.ask('not a code'))
  expect((await rig.ask(code)).status).toBe(202)
  answers.push(await rig.ask(code))
  const late = await rig.show()
  await rig.server.clock.advance(120)
  expect((await rig.call('pairing.get', {})).code).toBeNull()
  answers.push(await rig.ask(late))
  const replaced = await rig.show()
  await rig.show()
  answers.push(await rig.ask(replaced))
  const stopped = await rig.show()
  await rig.call('pairing.stop', {})
  answers.push(await rig.ask(stopped))
  expect(answers[0]).toMatchObject(WRONG)
  expect(new Set(answers.map(({ status, text }) => `${status} ${text}`)).size).toBe(1)
  expect((await rig.device('/pair')).status).toBe(404)
  expect((await rig.call('pairing.get', {})).wrongCodes).toEqual({ count: answers.length, lastAt: rig.server.clock.now() })
})

test('after five wrong codes no code of a client counts, one after the other or all at once', async () => {
  await using rig = await PairingRig.start()
  const code = await rig.show()
  for (let i = 0; i < 5; i++) expect(await rig.ask(other(code))).toMatchObject(WRONG)
  expect(await rig.ask(code)).toMatchObject(WRONG)
  expect((await rig.device('/pair')).status).toBe(200)

  const next = await rig.show()
  const guesses = await Promise.all([...Array.from({ length: 8 }, () => rig.ask(other(next))), rig.ask(next)])
  expect(guesses.map(({ status }) => status)).not.toContain(202)
  const wrong = (await rig.trail()).filter(({ event }) => event === 'pairing.wrong')
  expect(wrong).toMatchObject([{ address: '127.0.0.1', detail: '15' }])
})

test('what is no guess at the code that is shown uses up no try', async () => {
  await using rig = await PairingRig.start()
  const code = await rig.show()
  const proof = { pairing: 'ab', nonce: NONCE, proof: '0'.repeat(64) }
  for (let i = 0; i < 6; i++) {
    expect(await rig.ask('no code')).toMatchObject(WRONG)
    expect(await rig.device('/pair', { ...proof, name: 'pi' })).toMatchObject(WRONG)
  }
  expect((await rig.ask(code)).status).toBe(202)
})

test('one client cannot void the code of others; fifty tries of all of them do', async () => {
  const code = new PairingCode(systemRandom(), PIN, 0)
  const [guess, right] = [other(code.text), { code: code.text, name: 'pi' }]
  const guessFrom = async (client: string): Promise<void> => {
    for (let i = 0; i < 5; i++) await code.judge({ code: guess, name: 'x' }, client)
  }
  for (let i = 0; i < 20; i++) await guessFrom('10.77.0.66')
  expect(code.isUsedUp).toBe(false)
  expect(await code.judge(right, '10.77.0.66')).toEqual({ isRight: false })
  expect(await code.judge(right, '10.77.0.7')).toEqual({ isRight: true })
  for (let i = 1; i < 10; i++) await guessFrom(`10.77.1.${i}`)
  expect(code.isUsedUp).toBe(true)
  expect(await code.judge(right, '10.77.0.8')).toEqual({ isRight: false })
})

test('a device that was refused is told, and one that nobody decided about, and both are forgotten', async () => {
  await using rig = await PairingRig.start()
  const refused = await rig.ask(await rig.show())
  await rig.call('pairing.decide', { id: (await rig.newest()).id, allow: false })
  expect(await rig.question(refused)).toMatchObject({ status: 403, json: { error: { code: 'pairing_refused' } } })

  const ignored = await rig.ask(await rig.show(), { name: 'tablet' })
  await rig.server.clock.advance(REQUEST_LIFETIME)
  expect(await rig.question(ignored)).toMatchObject({ status: 404 })
  expect((await rig.call('pairing.get', {})).requests.map(({ state }) => state)).toEqual(['expired', 'refused'])
  await expect(rig.allow()).rejects.toMatchObject({ code: 'not_found' })
  expect(await rig.trail()).toMatchObject([
    { event: 'pairing.expired', actor: '', subject: 'tablet', detail: 'nobody decided' },
    { event: 'pairing.asked' },
    { event: 'pairing.started' },
    { event: 'pairing.refused', actor: 'desktop', subject: 'pi' },
    { event: 'pairing.asked' },
    { event: 'pairing.started' },
    { event: 'bus.started' }
  ])
  await rig.server.clock.advance(600)
  expect((await rig.call('pairing.get', {})).requests).toEqual([])
})

test('a key that nobody comes for is revoked', async () => {
  await using rig = await PairingRig.start()
  const asked = await rig.ask(await rig.show())
  await rig.server.clock.advance(REQUEST_LIFETIME - 1)
  await rig.allow()
  await rig.server.clock.advance(FETCH_LIFETIME - 1)
  expect(await rig.keys()).toHaveLength(2)
  await rig.server.clock.advance(1)
  await settle()
  expect(await rig.question(asked)).toMatchObject({ status: 404 })
  expect(await rig.keys()).toEqual(['main'])
  expect((await rig.newest()).state).toBe('expired')
  expect((await rig.trail())[0]).toMatchObject({ event: 'pairing.expired', subject: 'pi', detail: 'nobody came for it' })
})

test.each([null, 4e9])('a key that a crash kept from being fetched expires by itself; one that was fetched lasts (until %j)', async (expiresAt) => {
  await using rig = await PairingRig.start()
  const asked = await rig.ask(await rig.show())
  await rig.allow({ limits: { expiresAt } })
  const id = (await rig.keys()).find((key) => key !== 'main')!
  const end = (): number | null => rig.server.bus.keys.byId(id)!.limits.expiresAt
  // What a bus finds that was killed now.
  expect(end()).toBe(rig.server.clock.now() + REQUEST_LIFETIME)
  const { json } = await rig.question(asked)
  expect([json.limits.expiresAt, end()]).toEqual([expiresAt, expiresAt])
})

test('a key that an operator has changed before it was fetched stays as it was changed', async () => {
  await using rig = await PairingRig.start()
  const asked = await rig.ask(await rig.show())
  await rig.allow()
  const id = (await rig.keys()).find((key) => key !== 'main')!
  const limits = { scope: { roles: ['claim' as const], namespaces: null, goals: null }, expiresAt: rig.server.clock.now() + 20, rateLimit: 1 }
  await rig.server.bus.limitKey(id, limits)
  await rig.question(asked)
  expect(rig.server.bus.keys.byId(id)!.limits).toEqual(limits)
})

test('a key whose answer got lost can be fetched again until the request is over, and stays then', async () => {
  await using rig = await PairingRig.start()
  const asked = await rig.ask(await rig.show())
  await rig.allow()
  const first = await rig.question(asked)
  expect((await rig.question(asked)).json).toEqual(first.json)
  await rig.server.clock.advance(REQUEST_LIFETIME)
  expect((await rig.question(asked)).status).toBe(404)
  expect((await rig.server.post('/claim', undefined, {}, first.json.key)).status).toBe(204)
})

test('a device that is gone when it is let in has not got its key yet', async () => {
  await using rig = await PairingRig.start()
  const asked = await rig.ask(await rig.show())
  const gone = new AbortController()
  const { request, token } = asked.json
  const held = rig.device('/pair/wait', { request, token, wait: 30 }, gone.signal).catch(() => 'gone')
  await settle()
  gone.abort()
  expect(await held).toBe('gone')
  await settle()
  await rig.allow()
  await settle()
  expect((await rig.newest()).state).toBe('allowed')
  expect((await rig.question(asked)).status).toBe(200)
})

test('of two who decide at once one does, and limits that no key can have leave the device waiting', async () => {
  await using rig = await PairingRig.start()
  const asked = await rig.ask(await rig.show())
  const scope = { roles: ['operate' as const], namespaces: null, goals: ['a'] }
  await expect(rig.allow({ limits: { scope } })).rejects.toMatchObject({ code: 'invalid_scope' })
  expect((await rig.newest()).state).toBe('waiting')
  const decisions = await Promise.allSettled([rig.allow(), rig.allow()])
  expect(decisions.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
  expect((await rig.question(asked)).status).toBe(200)
  expect(await rig.keys()).toHaveLength(2)
})

test('only so many devices wait; the next one keeps its code', async () => {
  await using rig = await PairingRig.start()
  for (let i = 0; i < MAX_WAITING; i++) expect((await rig.ask(await rig.show())).status).toBe(202)
  const code = await rig.show()
  expect(await rig.ask(code)).toMatchObject({ status: 429, json: { error: { code: 'limit_exceeded' } } })
  await rig.call('pairing.decide', { id: (await rig.newest()).id, allow: false })
  expect((await rig.ask(code)).status).toBe(202)
})

test('a request is told to its own device only', async () => {
  await using rig = await PairingRig.start()
  const asked = await rig.ask(await rig.show())
  await rig.allow()
  const { request, token } = asked.json
  expect((await rig.device('/pair/wait', { request, token: other(token) })).status).toBe(404)
  expect((await rig.device('/pair/wait', { request: other(request), token })).status).toBe(404)
  expect((await rig.page('pair/wait', { request, token, wait: 0 })).status).toBe(404)
  expect((await rig.newest()).state).toBe('allowed')
})

test.each([
  ['no name', { code: 'K7QF-92MX' }],
  ['an empty name', { code: 'K7QF-92MX', name: ' \u200b ' }],
  ['a long name', { code: 'K7QF-92MX', name: 'x'.repeat(65) }],
  ['a wait that is too long', { code: 'K7QF-92MX', name: 'pi', wait: 61 }],
  ['neither code nor proof', { name: 'pi' }],
  ['half a proof', { pairing: 'ab', nonce: NONCE, name: 'pi' }],
  ['another kind', { code: 'K7QF-92MX', name: 'pi', kind: 'browser' }],
  ['no object', ['K7QF-92MX']]
])('%s is refused as it is, and is no guess', async (_what, body) => {
  await using rig = await PairingRig.start()
  expect(await rig.device('/pair', body)).toMatchObject({ status: 400, json: { error: { code: 'invalid_request' } } })
  expect((await rig.call('pairing.get', {})).wrongCodes.count).toBe(0)
})

test('a browser is let in by a session with the rights that were chosen, and no others', async () => {
  await using rig = await PairingRig.start()
  const asked = await rig.page('pair', { code: await rig.show(), name: "Kim's phone" })
  expect(asked).toMatchObject({ status: 202, json: { status: 'waiting' } })
  expect(await rig.newest()).toMatchObject({ kind: 'browser', name: "Kim's phone" })
  await rig.allow({ rights: ['watch', 'act'] })
  const { request, token } = asked.json
  expect((await rig.device('/pair/wait', { request, token })).status).toBe(404)
  const { status, headers, json } = await rig.page('pair/wait', { request, token })
  expect(status).toBe(200)
  expect(json).toEqual({ status: 'allowed', session: expect.stringMatching(/^[\w-]{43}$/) })
  const cookie = String(headers['set-cookie']).split(';')[0]!
  expect(String(headers['set-cookie'])).toContain('HttpOnly; SameSite=Strict')
  const call = (method: string, input: object = {}) => rig.page(method, input, { Cookie: cookie, 'X-Intent-Session': json.session })
  expect((await call('access.whoami')).json.value).toEqual({ via: 'browser', rights: ['watch', 'act'] })
  expect((await call('views.list')).status).toBe(200)
  expect((await call('intents.publish', { goal: 'a', payload: '1' })).status).toBe(403)
  expect((await call('keys.create', { owner: 'me' })).status).toBe(403)
  expect((await call('pairing.start')).status).toBe(403)
  const [session] = await rig.call('sessions.list', {})
  expect(session).toMatchObject({ name: "Kim's phone", isPaired: true, rights: ['watch', 'act'] })
  expect((await rig.trail())[0]).toMatchObject({ event: 'pairing.allowed', subject: "Kim's phone", detail: 'browser: watch, act' })
})

test('a session that no browser comes for ends', async () => {
  await using rig = await PairingRig.start()
  await rig.page('pair', { code: await rig.show(), name: 'phone' })
  await rig.allow()
  expect(await rig.call('sessions.list', {})).toHaveLength(1)
  await rig.server.clock.advance(REQUEST_LIFETIME)
  expect(await rig.call('sessions.list', {})).toHaveLength(0)
})

test('other sites, forms, other machines without TLS, and allowed origins do not get to it', async () => {
  const origin = 'https://app.example'
  await using rig = await PairingRig.start({ allowedOrigins: new Set([origin]), trustProxy: true })
  const code = await rig.show()
  const body = { code, name: 'pi' }
  expect((await rig.page('pair', body, { Origin: 'https://evil.example', 'Sec-Fetch-Site': 'cross-site' })).json.error.code).toBe('cross_site')
  for (const path of ['/pair', '/admin/control/pair']) {
    const send = (headers: Readonly<Record<string, string>>) =>
      rig.server.ask({ method: 'POST', path, body, headers: { 'Content-Type': 'application/json', ...headers } })
    expect((await send({ Origin: origin })).json.error.code).toBe('cross_site')
    expect((await send({ 'Content-Type': 'text/plain' })).status).toBe(400)
    expect((await send({ 'X-Forwarded-For': '192.168.1.9' })).json.error.code).toBe('https_required')
  }
  expect((await rig.call('pairing.get', {})).wrongCodes.count).toBe(0)
  expect((await rig.ask(code)).status).toBe(202)
})

test('no code is shown while no other machine can reach the bus, nor to who may not manage', async () => {
  await using server = await TestServer.start()
  const answer = await server.admin('/admin/control/pairing.start', {})
  expect(answer).toMatchObject({ status: 400, json: { error: { message: expect.stringContaining('turn sharing on') } } })
  expect((await server.ask({ path: '/pair' })).status).toBe(404)
})

test('a code ends with the identity that it was shown with', async () => {
  await using rig = await PairingRig.start()
  const code = await rig.show()
  await rig.call('sharing.replaceIdentity', { confirm: true })
  expect((await rig.call('pairing.get', {})).code).toBeNull()
  expect((await rig.device('/pair')).status).toBe(404)
  expect(await rig.ask(code)).toMatchObject(WRONG)
  expect(await rig.ask(await rig.show())).toMatchObject({ status: 202 })
})

test('a code ends with sharing, and does not come back with it', async () => {
  await using rig = await PairingRig.start()
  const code = await rig.show()
  await rig.call('settings.change', { share: false })
  expect((await rig.server.ask({ path: '/pair' })).status).toBe(404)
  await rig.call('settings.change', { share: true })
  expect((await rig.call('pairing.get', {})).code).toBeNull()
  expect(await rig.ask(code)).toMatchObject(WRONG)
  expect(await rig.ask(await rig.show())).toMatchObject({ status: 202 })
})

test('what the bus shows with a code leads to it', async () => {
  await using rig = await PairingRig.start()
  const { code } = await rig.call('pairing.start', {})
  const url = rig.server.sharing.urls[0]!
  const link = new URL(code!.link)
  expect(link.origin + link.pathname).toBe(`${url}/admin/`)
  const fragment = new URLSearchParams(link.hash.slice(1))
  expect([fragment.get('pair'), fragment.get('pin')]).toEqual([code!.code, rig.pin])
  const { fingerprint } = rig.server.sharing.identity!
  expect(Buffer.from(fragment.get('root')!, 'base64url').toString('hex')).toBe(fingerprint.replaceAll(':', '').toLowerCase())
  expect(code!.command).toBe(`intent-bus pair ${url} --code ${code!.code} --pin ${rig.pin}`)
})

test('nothing that lets anybody in stands in the log or in the audit trail', async () => {
  await using rig = await PairingRig.start()
  const shown = await rig.show()
  const code = readCode(shown)!
  const { pairing } = (await rig.device('/pair')).json
  const key = await proofKey(code, pairing, rig.pin)
  const proof = await deviceProof(key, NONCE, 'pi')
  await rig.ask(other(shown))
  const asked = await rig.device('/pair', { pairing, nonce: NONCE, proof, name: 'pi' })
  await rig.allow()
  const given = await rig.question(asked)
  const browser = await rig.page('pair', { code: await rig.show(), name: 'phone' })
  await rig.allow()
  const { headers, json } = await rig.page('pair/wait', browser.json)
  const session = /=([^;]+)/.exec(String(headers['set-cookie']))![1]!
  expect(rig.logged.filter((line) => line.includes('"/pair')).length).toBeGreaterThan(3)
  const all = rig.logged.join('') + JSON.stringify(await rig.trail())
  for (const secret of [shown, code, proof, asked.json.token, asked.json.proof, given.json.key, browser.json.token, session, json.session]) {
    expect(all).not.toContain(secret)
  }
})

test('a bus that stops lets go of who waits, and of what nobody came for', async () => {
  const rig = await PairingRig.start({ isClockReal: true })
  const asked = await rig.ask(await rig.show())
  await rig.allow()
  const held = rig.ask(await rig.show(), { wait: 60 })
  await expect.poll(async () => (await rig.newest()).state).toBe('waiting')
  await rig.server.pairing.close()
  expect((await held).status).toBe(404)
  expect(await rig.keys()).toEqual(['main'])
  expect((await rig.question(asked)).status).toBe(404)
  await rig[Symbol.asyncDispose]()
})
