import { once } from 'node:events'
import { request, type IncomingMessage } from 'node:http'
import { connect } from 'node:net'
import { expect, test } from 'vitest'
import { callerOf, MAIN, PUBLISH } from '../support/test-bus.ts'
import { MAIN_KEY, TestServer } from '../support/test-server.ts'
import { claim, fulfill, refusal } from './steps.ts'

interface Message {
  readonly id: string
  readonly event: string
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  readonly data: any
}

/** GET /events, as a client follows it. */
class Following implements Disposable {
  readonly messages: Message[] = []
  readonly ended: Promise<void>
  readonly #response: IncomingMessage

  private constructor(response: IncomingMessage) {
    this.#response = response
    let text = ''
    response.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk
      const blocks = text.split('\n\n')
      text = blocks.pop()!
      for (const block of blocks) {
        const fields = Object.fromEntries(block.split('\n').map((line) => [line.slice(0, line.indexOf(': ')), line.slice(line.indexOf(': ') + 2)]))
        if (fields.data !== undefined) this.messages.push({ id: fields.id!, event: fields.event!, data: JSON.parse(fields.data) })
      }
    })
    this.ended = new Promise((resolve) => response.on('close', resolve))
  }

  static open(server: TestServer, key = MAIN_KEY, headers: Readonly<Record<string, string>> = {}): Promise<Following> {
    return new Promise((resolve, reject) => {
      const options = { headers: { 'X-API-KEY': key, ...headers }, agent: false }
      const req = request(`${server.url}/events`, options, (response) => {
        if (response.statusCode !== 200) reject(new Error(String(response.statusCode)))
        resolve(new Following(response))
      })
      req.on('error', reject)
      req.end()
    })
  }

  async until(count: number): Promise<Message[]> {
    while (this.messages.length < count) await new Promise((resolve) => setTimeout(resolve, 5))
    return this.messages
  }

  [Symbol.dispose](): void {
    this.#response.destroy()
  }
}

test('a key hears of the intents that it published or claimed, and of no others', async () => {
  await using server = await TestServer.start()
  const [alice, bob] = [await server.newKey('alice'), await server.newKey('bob')]
  using ofAlice = await Following.open(server, alice)
  using ofBob = await Following.open(server, bob)
  using ofMain = await Following.open(server)
  const shared = await server.publish({ visibility: 'public' }, alice)
  const secret = await server.publish({}, alice)
  await fulfill(server, await claim(server, '', bob), { result: 'private result' }, bob)
  const own = await server.publish({}, bob)
  const told = (await ofAlice.until(4)).map(({ event, data }) => [event, data.id, data.event, data.status])
  expect(told).toEqual([
    ['change', shared, 'published', 'open'],
    ['change', secret, 'published', 'open'],
    ['change', shared, 'claimed', 'claimed'],
    ['change', shared, 'fulfilled', 'fulfilled']
  ])
  expect((await ofBob.until(3)).map(({ data }) => [data.id, data.event])).toEqual([
    [shared, 'claimed'],
    [shared, 'fulfilled'],
    [own, 'published']
  ])
  expect(ofMain.messages).toEqual([])
  expect(JSON.stringify(ofAlice.messages)).not.toContain('private result')
})

test('who comes back with the last id hears what it missed, once', async () => {
  await using server = await TestServer.start()
  const first = await Following.open(server)
  const ids = [await server.publish()]
  const [{ id }] = (await first.until(1)) as [Message]
  first[Symbol.dispose]()
  for (let i = 0; i < 3; i++) ids.push(await server.publish())
  using second = await Following.open(server, MAIN_KEY, { 'Last-Event-ID': id })
  ids.push(await server.publish())
  expect((await second.until(4)).map(({ data }) => data.id)).toEqual(ids.slice(1))
})

test('what is not known any more is told as a gap', async () => {
  await using server = await TestServer.start()
  using unknown = await Following.open(server, MAIN_KEY, { 'Last-Event-ID': 'abcdef012345-7' })
  expect((await unknown.until(1))[0]).toMatchObject({ event: 'gap', data: {} })
  const first = await Following.open(server)
  await server.publish()
  const [{ id }] = (await first.until(1)) as [Message]
  first[Symbol.dispose]()
  unknown[Symbol.dispose]()
  await new Promise((resolve) => setTimeout(resolve, 50))
  await server.clock.advance(300)
  using late = await Following.open(server, MAIN_KEY, { 'Last-Event-ID': id })
  const [gap] = (await late.until(1)) as [Message]
  expect(gap.event).toBe('gap')
  await server.publish()
  expect((await late.until(2))[1]).toMatchObject({ event: 'change' })
})

test('a revoked key is cut off, and so many streams are enough for one', async () => {
  await using server = await TestServer.start()
  const key = await server.newKey()
  const streams = await Promise.all(Array.from({ length: 16 }, () => Following.open(server, key)))
  expect(refusal(await server.get('/events', {}, key))).toBe('429 limit_exceeded')
  await server.admin('/admin/revoke_key', { api_key: key })
  await Promise.all(streams.map(({ ended }) => ended))
  expect(refusal(await server.get('/events', {}, key))).toBe('401 unauthorized')
  expect(refusal(await server.ask({ path: '/events' }))).toBe('401 unauthorized')
})

test('who missed more than a megabyte gets all of it', async () => {
  await using server = await TestServer.start()
  const first = await Following.open(server)
  await server.publish()
  const [{ id }] = (await first.until(1)) as [Message]
  first[Symbol.dispose]()
  const goal = 'g'.repeat(256)
  for (let i = 0; i < 10; i++) {
    await Promise.all(Array.from({ length: 300 }, () => server.bus.publish(callerOf(MAIN), { ...PUBLISH, goal }, null, '{}')))
  }
  using second = await Following.open(server, MAIN_KEY, { 'Last-Event-ID': id })
  expect(await second.until(3_000)).toHaveLength(3_000)
})

test('a key that is revoked while its request arrives does not get in', async () => {
  await using server = await TestServer.start()
  const key = await server.newKey()
  const { port } = new URL(server.url)
  const answers = ['GET /events', 'POST /claim?wait=20'].map(async (line) => {
    const socket = connect(Number(port), '127.0.0.1')
    socket.write(`${line} HTTP/1.1\r\nHost: 127.0.0.1\r\nX-API-KEY: ${key}\r\nContent-Length: 1\r\n\r\n`)
    await new Promise((resolve) => setTimeout(resolve, 150))
    socket.write(' ')
    const [bytes] = (await once(socket, 'data')) as [Buffer]
    socket.destroy()
    return bytes.toString().slice(0, 12)
  })
  await new Promise((resolve) => setTimeout(resolve, 60))
  await server.admin('/admin/revoke_key', { api_key: key })
  expect(await Promise.all(answers)).toEqual(['HTTP/1.1 401', 'HTTP/1.1 401'])
})
