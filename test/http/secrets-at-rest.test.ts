import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { ADMIN_TOKEN, MAIN_KEY, METRICS_TOKEN, PASSWORD, TestServer } from '../support/test-server.ts'
import { sessionHeaders } from './steps.ts'

test('no key, password or session is in any file of the database', async () => {
  await using server = await TestServer.start()
  const generated = await server.newKey('pi')
  const login = await server.ask({ method: 'POST', path: '/admin/control/login', body: { password: PASSWORD } })
  const { Cookie, 'X-Intent-Session': half } = sessionHeaders(login)
  for (const key of [MAIN_KEY, generated]) {
    const id = await server.publish({ goal: 'told' }, key)
    const lease = (await server.post('/claim?goal=told', undefined, { 'X-Worker-ID': 'pi' }, key)).json
    expect((await server.post(`/fulfill/${id}`, { claim_token: lease.claim_token, result: 'marked' }, {}, key)).status).toBe(200)
    await server.ask({ path: '/metrics', headers: { Authorization: `Bearer ${METRICS_TOKEN}` } })
  }
  await Promise.all([server.bus.notesWritten(), server.clock.advance(1)])
  const folder = dirname(server.databasePath)
  const files = readdirSync(folder).filter((name) => name.startsWith('bus.db')).map((name) => readFileSync(join(folder, name), 'latin1'))
  const kept = files.join('')
  // What is written is found like this.
  for (const written of ['marked', 'told']) expect(kept).toContain(written)
  for (const secret of [MAIN_KEY, generated, generated.slice(3), PASSWORD, ADMIN_TOKEN, METRICS_TOKEN, Cookie.split('=')[1]!, half]) expect(kept).not.toContain(secret)
})
