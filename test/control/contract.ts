import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { methods, type MethodName } from '../../src/shared/control/contract.ts'
import { createServer, type AddressInfo } from 'node:net'
import { Operating, type Rig } from './rig.ts'

/** The control contract, whatever carries it: one suite for every transport. */
export function contractSuite(transport: string, start: () => Promise<Rig>): void {
  describe(`the control contract over ${transport}`, () => {
    let rig: Rig
    let bus: Operating
    beforeAll(async () => {
      rig = await start()
      bus = new Operating(rig)
    })
    afterAll(() => rig[Symbol.asyncDispose]())

    describe('checking', () => {
      test('a method that does not exist is refused', async () => {
        expect(await bus.refusal('intents.destroy', {})).toEqual({
          code: 'not_found',
          message: 'There is no method intents.destroy.'
        })
        expect((await bus.refusal('constructor', {})).code).toBe('not_found')
      })

      test.each(Object.keys(methods) as MethodName[])('%s refuses members that it does not know, and what is no object', async (method) => {
        for (const input of [{ surprise: 1 }, [], 'text', 7]) {
          expect((await bus.refusal(method, input)).code).toBe('invalid_request')
        }
      })

      test.each([
        ['intents.detail', { id: 'x' }, 'id'],
        ['intents.list', { limit: 0 }, 'limit'],
        ['intents.list', { order: 'sideways' }, 'order'],
        ['intents.publish', { goal: '', payload: '{}' }, 'goal'],
        ['intents.publish', { goal: 'g', payload: '{}', priority: 1001 }, 'priority'],
        ['intents.publish', { goal: 'g', payload: '{}', priority: '5' }, 'priority'],
        ['intents.publish', { goal: 'g', payload: '{}', target: 'no spaces' }, 'target'],
        ['intents.publish', { goal: 'g', payload: '{' }, 'payload'],
        ['intents.publish', { goal: 'g', payload: '' }, 'payload'],
        ['intents.publish', { goal: 'g', payload: '1}, {"x": 2' }, 'payload'],
        ['intents.publish', { goal: 'g', payload: JSON.stringify('x'.repeat(7_167)) }, 'payload'],
        ['intents.publish', { goal: 'g', payload: '{}', publisher: 'key_0000000000000000' }, 'publisher'],
        ['keys.create', { owner: '   ' }, 'owner'],
        ['bus.purge', { namespace: null, confirm: false }, 'confirm'],
        ['settings.change', { port: 70_000 }, 'port'],
        ['templates.save', { name: 't', goal: 'g', payload: '{}', schema: '[]' }, 'schema']
      ])('%s %j names the member that is wrong', async (method, input, field) => {
        const refusal = await bus.refusal(method, input)
        expect(refusal.field).toBe(field)
        expect(refusal.message).toMatch(/\.$/)
      })

      test.each(['status:undead', 'colour:red', 'goal:', 'age:soon', 'priority:high', 'payload:1'])('the filter %s is refused with a reason', async (filter) => {
        const { code, message } = await bus.refusal('intents.list', { filter })
        expect(code).toBe('invalid_request')
        expect(message.length).toBeGreaterThan(15)
      })
    })

    describe('intents', () => {
      test('what is published is listed, counted, found by search and shown with every digit', async () => {
        const payload = '{"order":42,"big":12345678901234567890,"price":1.10,"note":"zebra <b>"}'
        const { id } = await bus.call('intents.publish', { goal: 'ctl.publish', payload, namespace: 'shop', priority: 7, visibility: 'public' })
        for (const filter of ['goal:ctl.publish', 'goal:ctl.pub*', 'ns:shop', 'payload.order:42', 'zebra', `id:${id}`, 'status:open ns:shop', 'priority:7']) {
          const { rows } = await bus.call('intents.list', { filter })
          expect([filter, rows.map((row) => row.id)]).toEqual([filter, [id]])
          expect(await bus.call('intents.count', { filter })).toMatchObject({ count: 1, isExact: true })
        }
        for (const filter of ['goal:ctl.other', 'payload.order:43', 'zebras', 'status:dead ns:shop', '-ns:shop goal:ctl.publish']) {
          expect((await bus.call('intents.list', { filter })).rows).toEqual([])
        }
        const detail = await bus.call('intents.detail', { id })
        expect(detail).toMatchObject({ payload, goal: 'ctl.publish', namespace: 'shop', priority: 7, visibility: 'public', status: 'open', publisher: 'main' })
        expect(detail.history.map(({ event }) => event)).toEqual(['published'])
      })

      test('pages follow each other without gap or repetition, from both ends', async () => {
        const ids: string[] = []
        for (let i = 0; i < 23; i++) ids.push((await bus.call('intents.publish', { goal: 'ctl.pages', payload: String(i) })).id)
        for (const order of ['newest', 'oldest'] as const) {
          const seen: string[] = []
          let cursor: string | undefined
          do {
            const page = await bus.call('intents.list', { filter: 'goal:ctl.pages', order, limit: 5, ...(cursor && { cursor }) })
            seen.push(...page.rows.map(({ id }) => id))
            cursor = page.next ?? undefined
          } while (cursor !== undefined)
          expect(seen).toEqual(order === 'oldest' ? ids : ids.toReversed())
        }
      })

      test('an intent is entered anywhere by anchors', async () => {
        for (let i = 0; i < 120; i++) await bus.call('intents.publish', { goal: 'ctl.anchors', payload: String(i) })
        const { cursors, rows } = await bus.call('intents.anchors', { filter: 'goal:ctl.anchors', size: 50 })
        expect([cursors.length, rows]).toEqual([3, 120])
        const page = await bus.call('intents.list', { filter: 'goal:ctl.anchors', cursor: cursors[2]!, limit: 1 })
        expect((await bus.call('intents.detail', { id: page.rows[0]!.id })).payload).toBe('19')
      })

      test('cancel, retry and duplicate do what their names say', async () => {
        const { id } = await bus.call('intents.publish', { goal: 'ctl.manage', payload: '[1]', priority: 9 })
        await bus.call('intents.cancel', { id })
        expect(await bus.call('intents.detail', { id })).toMatchObject({ status: 'dead', error: 'Cancelled by an operator.' })
        await bus.call('intents.retry', { id })
        expect((await bus.call('intents.detail', { id })).status).toBe('open')
        const copy = await bus.call('intents.duplicate', { id })
        expect(copy.id).not.toBe(id)
        expect(await bus.call('intents.detail', { id: copy.id })).toMatchObject({ goal: 'ctl.manage', payload: '[1]', priority: 9, status: 'open' })
        for (const method of ['intents.cancel', 'intents.retry', 'intents.detail', 'intents.duplicate', 'intents.explain']) {
          expect((await bus.refusal(method, { id: 'f'.repeat(32) })).code).toBe('not_found')
        }
      })

      test('what a generated key published is duplicated as that key, so that its workers get it', async () => {
        const key = await bus.call('keys.create', { owner: 'duplicated' })
        const { json } = await bus.request({ path: '/intent', body: { goal: 'ctl.as', payload: 1 }, headers: { 'X-API-KEY': key.secret } })
        const { id } = await bus.call('intents.duplicate', { id: json.id })
        expect((await bus.call('intents.detail', { id })).publisher).toBe(key.id)
        await bus.call('keys.revoke', { id: key.id })
        const orphan = await bus.call('intents.duplicate', { id })
        expect((await bus.call('intents.detail', { id: orphan.id })).publisher).toBe('main')
      })

      test('an idempotency key publishes once', async () => {
        const publication = { goal: 'ctl.once', payload: '{}', idempotencyKey: 'order-1' }
        const [first, second] = [await bus.call('intents.publish', publication), await bus.call('intents.publish', publication)]
        expect(second.id).toBe(first.id)
        expect((await bus.refusal('intents.publish', { ...publication, payload: '[]' })).code).toBe('idempotency_conflict')
      })

      test('a bulk action takes all that a filter matches, but nothing that came later', async () => {
        for (let i = 0; i < 30; i++) await bus.call('intents.publish', { goal: 'ctl.bulk', payload: String(i) })
        const { count, asOf } = await bus.call('intents.count', { filter: 'goal:ctl.bulk status:open' })
        expect(count).toBe(30)
        const late = await bus.call('intents.publish', { goal: 'ctl.bulk', payload: '"late"' })
        using frames = await rig.listen()
        const target = { filter: 'goal:ctl.bulk status:open', asOf }
        expect(await bus.call('intents.bulk', { action: 'cancel', target, token: 'mine' })).toEqual({ matched: 30, changed: 30 })
        expect((await frames.frame(({ bulk }) => bulk?.done === 30)).bulk).toEqual({ token: 'mine', done: 30, total: 30 })
        expect((await bus.call('intents.detail', { id: late.id })).status).toBe('open')
        const dead = await bus.call('intents.list', { filter: 'goal:ctl.bulk status:dead' })
        expect(dead.rows.length).toBe(30)
        const ids = dead.rows.slice(0, 3).map(({ id }) => id)
        expect(await bus.call('intents.bulk', { action: 'retry', target: { ids: [...ids, 'f'.repeat(32)] } })).toMatchObject({ changed: 3 })
      })

      test('a reason is given for what waits', async () => {
        const { id } = await bus.call('intents.publish', { goal: 'ctl.explain', payload: '1', capability: 'gpu' })
        const { verdict, checks } = await bus.call('intents.explain', { id })
        expect(verdict.length).toBeGreaterThan(20)
        expect(checks.find(({ rule }) => rule === 'capability')).toMatchObject({ outcome: 'fails', text: expect.stringContaining('gpu') })
        await bus.call('intents.cancel', { id })
      })

      test('dead letters are grouped by reasons that differ only in numbers', async () => {
        for (const n of [17, 42]) {
          const { id } = await bus.call('intents.publish', { goal: 'ctl.dying', payload: '1', maxAttempts: 1 })
          const claimed = await bus.claim('ctl.dying', 'pi4')
          expect(claimed?.id).toBe(id)
          await bus.fail(claimed!, `timed out after ${n} ms`)
        }
        const group = (await bus.call('dead.groups', {})).find(({ goals }) => goals.includes('ctl.dying'))
        expect(group).toMatchObject({ pattern: 'timed out after * ms', count: 2, goals: ['ctl.dying'] })
        const { rows } = await bus.call('intents.list', { filter: `error:"${group!.pattern}"` })
        expect(rows.length).toBe(2)
      })
    })

    describe('events', () => {
      test('what workers and operators do arrives in order', async () => {
        using frames = await rig.listen()
        const { id } = await bus.call('intents.publish', { goal: 'ctl.live', payload: '1' })
        await bus.fulfill((await bus.claim('ctl.live', 'pi4'))!)
        await frames.frame(({ changes }) => changes.some((change) => change.id === id && change.event === 'fulfilled'))
        const seen: string[] = []
        await frames.frame(({ changes }) => {
          seen.push(...changes.filter((change) => change.id === id).map(({ event, status, goal }) => `${event} ${status} ${goal}`))
          return seen.length >= 3
        })
        expect(seen).toEqual(['published open ctl.live', 'claimed claimed ctl.live', 'fulfilled fulfilled ctl.live'])
      })

      test('other changes are told, too', async () => {
        using frames = await rig.listen()
        await bus.call('bus.pause', { paused: true })
        await frames.frame(({ status }) => status?.isPaused === true)
        await bus.call('bus.pause', { paused: false })
        await frames.frame(({ status }) => status?.isPaused === false)
        const view = await bus.call('views.save', { name: 'mine', filter: 'status:dead' })
        await frames.frame(({ changed }) => changed?.includes('views') === true)
        await bus.call('views.remove', { id: view.id })
      })
    })

    describe('watching', () => {
      test('workers are made from their claims', async () => {
        await bus.call('intents.publish', { goal: 'ctl.worked', payload: '1' })
        await bus.claim('ctl.worked', 'pi5', { 'X-Worker-Capabilities': 'gpu,arm' })
        const { workers } = await bus.call('workers.list', {})
        const worker = workers.find((one) => one.worker === 'pi5')!
        expect(worker).toMatchObject({ key: 'main', presence: 'online', capabilities: ['gpu', 'arm'], claimed: 1 })
        expect(worker.holds).toMatchObject([{ goal: 'ctl.worked' }])
        expect(worker.asks).toMatchObject([{ namespace: 'default', goal: 'ctl.worked', publisher: null }])
        await bus.call('workers.forget', { ref: worker.ref })
        expect((await bus.call('workers.list', {})).workers.some((one) => one.worker === 'pi5')).toBe(false)
      })

      test('names, statistics and the overview agree with what happened', async () => {
        await bus.call('intents.publish', { goal: 'ctl.counted', payload: '1', namespace: 'counted' })
        const names = await bus.call('names.list', {})
        expect(names.namespaces.find(({ namespace }) => namespace === 'counted')?.counts).toMatchObject({ open: 1 })
        expect(names.goals.find(({ goal }) => goal === 'ctl.counted')).toMatchObject({ counts: { open: 1 } })
        const overview = await bus.call('overview.get', {})
        expect(overview.isNew).toBe(false)
        expect(overview.oldestWaiting).not.toBeNull()
        expect((await bus.call('intents.count', { filter: 'status:open' })).count).toBe(overview.counts.open)
        for (const range of ['hour', 'day'] as const) {
          const { points, step, total } = await bus.call('statistics.get', { range })
          expect(points.length * step).toBe(range === 'hour' ? 3_600 : 86_400)
          expect(points.reduce((sum, { published }) => sum + published, 0)).toBe(total.published)
          expect(total.published).toBeGreaterThan(0)
        }
      })
    })

    describe('keys', () => {
      test('a key is made, used, renamed and revoked', async () => {
        const { id, owner, secret } = await bus.call('keys.create', { owner: 'pi4' })
        expect([owner, secret.startsWith('tk_')]).toEqual(['pi4', true])
        const headers = { 'X-API-KEY': secret }
        expect((await bus.request({ path: '/intent', body: { goal: 'ctl.key', payload: 1 }, headers })).status).toBe(201)
        await bus.call('keys.rename', { id, owner: 'pi4 in the cellar' })
        const key = (await bus.call('keys.list', {})).find((one) => one.id === id)
        expect(key).toMatchObject({ owner: 'pi4 in the cellar', intents: { open: 1 } })
        expect(JSON.stringify(await bus.call('keys.list', {}))).not.toContain(secret)
        expect(await bus.call('keys.impact', { id })).toMatchObject({ open: 1, claimed: 0, leases: 0 })
        // A worker that was seen only just now is told of, too.
        const worker = { ...headers, 'X-Worker-ID': 'cellar' }
        expect((await bus.request({ method: 'POST', path: '/claim?goal=ctl.key', headers: worker })).status).toBe(200)
        expect(await bus.call('keys.impact', { id })).toMatchObject({ open: 0, claimed: 1, leases: 1, workers: expect.arrayContaining(['cellar']) })
        await bus.call('keys.revoke', { id })
        expect((await bus.request({ path: '/claim', headers })).status).toBe(401)
        expect((await bus.call('keys.list', {})).some((one) => one.id === id)).toBe(false)
        for (const method of ['keys.revoke', 'keys.rename']) {
          const more = method === 'keys.rename' ? { owner: 'x' } : {}
          expect((await bus.refusal(method, { id, ...more })).code).toBe('not_found')
        }
      })

      test('the main key is shown, rotated, and cannot be revoked', async () => {
        const { secret } = await bus.call('keys.revealMain', {})
        expect((await bus.request({ path: '/claim', headers: { 'X-API-KEY': secret } })).status).not.toBe(401)
        const rotated = await bus.call('keys.rotateMain', {})
        expect(rotated.secret).not.toBe(secret)
        expect((await bus.request({ path: '/claim', headers: { 'X-API-KEY': secret } })).status).toBe(401)
        expect((await bus.request({ path: '/claim', headers: { 'X-API-KEY': rotated.secret } })).status).not.toBe(401)
        expect(await bus.call('keys.revealMain', {})).toEqual(rotated)
        expect((await bus.refusal('keys.revoke', { id: 'main' })).message).toContain('rotate')
        bus = new Operating({ ...rig, mainKey: rotated.secret, get url() { return rig.url } })
      })
    })

    describe('access', () => {
      test('whoever has all rights is told so', async () => {
        const { via, rights } = await bus.call('access.whoami', {})
        expect(['desktop', 'credentials']).toContain(via)
        expect(rights).toEqual(['watch', 'publish', 'act', 'manage'])
      })

      test('a key is made with limits, which show and change', async () => {
        const scope = { roles: ['claim' as const], namespaces: ['default'], goals: ['ctl.limited'] }
        const { id, secret } = await bus.call('keys.create', { owner: 'limited', scope, rateLimit: 30 })
        const find = async () => (await bus.call('keys.list', {})).find((key) => key.id === id)
        expect(await find()).toMatchObject({ scope, rateLimit: 30, expiresAt: null, lastAddress: null })
        const headers = { 'X-API-KEY': secret }
        expect((await bus.request({ path: '/claim', headers })).status).toBe(204)
        expect((await bus.request({ path: '/intent', body: { goal: 'g', payload: 1 }, headers })).status).toBe(403)
        expect((await find())?.lastAddress).toBe('127.0.0.1')
        await bus.call('keys.limit', { id })
        expect(await find()).toMatchObject({ scope: null, rateLimit: null })
        expect((await bus.request({ path: '/intent', body: { goal: 'ctl.limits', payload: 1 }, headers })).status).toBe(201)
        await bus.call('keys.limit', { id, expiresAt: Date.now() / 1000 - 1 })
        expect((await bus.request({ path: '/claim', headers })).status).toBe(401)
        await bus.call('keys.revoke', { id })
        expect((await bus.refusal('keys.limit', { id })).code).toBe('not_found')
      })

      test.each([
        [{ scope: { roles: ['operate'], goals: ['a'] } }, 'scope'],
        [{ scope: { roles: ['operate', 'read'], namespaces: ['a'] } }, 'scope'],
        [{ scope: { roles: [] } }, 'scope.roles'],
        [{ scope: { roles: ['rule'] } }, 'scope.roles.0'],
        [{ rateLimit: 0 }, 'rateLimit'],
        [{ expiresAt: -1 }, 'expiresAt']
      ])('limits that make no sense are refused by their name: %j', async (limits, field) => {
        const { id } = await bus.call('keys.create', { owner: 'sense' })
        for (const [method, input] of [['keys.create', { owner: 'x' }], ['keys.limit', { id }]] as const) {
          const refusal = await bus.refusal(method, { ...input, ...limits })
          expect(refusal.field).toBe(field)
          expect(refusal.message).toMatch(/\.$/)
        }
        await bus.call('keys.revoke', { id })
      })

      test('what was done to keys is in the trail, newest first and in pages', async () => {
        const { id } = await bus.call('keys.create', { owner: 'trailed' })
        await bus.call('keys.revoke', { id })
        const { entries, next } = await bus.call('audit.list', { limit: 2 })
        expect(entries).toMatchObject([
          { event: 'key.revoked', subject: id, detail: 'trailed' },
          { event: 'key.created', subject: id }
        ])
        const older = await bus.call('audit.list', { before: next! })
        expect(older.entries[0]!.n).toBeLessThan(entries[1]!.n)
        expect(older.entries.at(-1)).toMatchObject({ n: 1, event: 'bus.started' })
      })

      test('a signature that did not count can be looked at', async () => {
        const headers = { 'X-Timestamp': String(Math.floor(Date.now() / 1000)), 'X-Nonce': 'ctl', 'X-Signature': '0'.repeat(64) }
        expect((await bus.request({ path: '/claim', headers })).status).toBe(403)
        const [failure] = await bus.call('signatures.failures', {})
        expect(failure).toMatchObject({ key: 'main', method: 'POST', path: '/claim', found: null })
      })

      test('there are no browsers to end here', async () => {
        expect(await bus.call('sessions.list', {})).toEqual([])
        expect(await bus.call('access.endSessions', {})).toEqual({ ended: 0 })
        expect((await bus.refusal('sessions.end', { id: 'none' })).code).toBe('not_found')
      })
    })

    describe('what operators keep', () => {
      test('templates are saved, changed, run and removed', async () => {
        const saved = await bus.call('templates.save', { name: 'Backup', goal: 'ctl.template', payload: '{"to":"nas"}', schema: '{"type":"object"}' })
        expect(await bus.call('templates.list', {})).toContainEqual(saved)
        const changed = await bus.call('templates.save', { ...without(saved, 'updatedAt'), name: 'Backup!', priority: 1 })
        expect((await bus.call('templates.list', {})).filter(({ id }) => id === saved.id)).toEqual([changed])
        const { id } = await bus.call('templates.run', { id: saved.id })
        expect(await bus.call('intents.detail', { id })).toMatchObject({ goal: 'ctl.template', payload: '{"to":"nas"}', priority: 1 })
        const other = await bus.call('templates.run', { id: saved.id, payload: '{"to":"usb"}' })
        expect((await bus.call('intents.detail', { id: other.id })).payload).toBe('{"to":"usb"}')
        await bus.call('templates.remove', { id: saved.id })
        expect((await bus.refusal('templates.run', { id: saved.id })).code).toBe('not_found')
      })
    })

    describe('settings', () => {
      test('a change counts at once', async () => {
        await bus.call('settings.change', { requireSignatures: true })
        expect((await bus.request({ path: '/claim' })).status).toBe(403)
        await bus.call('settings.change', { requireSignatures: false, maintenance: true })
        expect((await bus.request({ path: '/claim' })).status).toBe(503)
        expect((await bus.call('status.get', {})).isMaintenance).toBe(true)
        await bus.call('settings.change', { maintenance: false })
        expect((await bus.request({ path: '/claim' })).status).not.toBe(503)
      })

      test('a port that is taken is refused and changes nothing; a free one serves at once', async () => {
        const before = rig.url
        const taken = createServer().listen(0, '127.0.0.1')
        await new Promise((resolve) => taken.once('listening', resolve))
        const { port } = taken.address() as AddressInfo
        const refusal = await bus.refusal('settings.change', { port })
        expect(refusal).toMatchObject({ field: 'port', message: expect.stringContaining(`Port ${port} on 127.0.0.1 is taken`) })
        expect(rig.url).toBe(before)
        expect((await bus.call('settings.get', {})).values.port).not.toBe(port)
        await new Promise((resolve) => taken.close(resolve))
        await bus.call('settings.change', { port })
        expect(rig.url).toBe(`http://127.0.0.1:${port}`)
        expect((await bus.request({ path: '/claim' })).status).not.toBe(503)
        await expect(fetch(`${before}/health`)).rejects.toThrow()
      })

      test('cleanup and purge run', async () => {
        expect(await bus.call('bus.cleanup', {})).toHaveProperty('fulfilled_deleted')
        await bus.call('intents.publish', { goal: 'ctl.purged', payload: '1', namespace: 'purged' })
        using frames = await rig.listen()
        await bus.call('bus.purge', { namespace: 'purged', confirm: true })
        await frames.frame(({ missed }) => missed > 0)
        expect((await bus.call('intents.count', { filter: 'ns:purged' })).count).toBe(0)
      })
    })
  })
}

function without<T extends object, K extends keyof T>(object: T, name: K): Omit<T, K> {
  const { [name]: _, ...rest } = object
  return rest
}
