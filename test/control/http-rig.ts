import { ADMIN_TOKEN, MAIN_KEY, TestServer } from '../support/test-server.ts'
import { EventStream } from './event-stream.ts'
import type { Rig } from './rig.ts'

/** The control contract over HTTP, with the admin's token. */
export async function httpRig(): Promise<Rig> {
  const server = await TestServer.start({ isClockReal: true })
  const headers = { 'X-Admin-Token': ADMIN_TOKEN }
  return {
    get url() {
      return server.url
    },
    mainKey: MAIN_KEY,
    async send(method, input) {
      const { status, json } = await server.ask({ method: 'POST', path: `/admin/control/${method}`, headers, body: JSON.stringify(input) })
      return status === 200 ? { ok: true, value: json.value } : { ok: false, error: json.error }
    },
    async listen() {
      const stream = await EventStream.open(server.url, headers)
      await stream.frame(() => true)
      return stream
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]()
  }
}
