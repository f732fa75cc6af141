import { expect, test } from 'vitest'
import { BusProcess } from '../support/bus-process.ts'
import { temporaryFolder } from '../support/folders.ts'

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

interface Answer {
  readonly status: number
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  readonly json: any
}

/** undefined when the bus is not there, or goes away before it has answered. */
async function ask(url: string, key: string, path: string, body?: object): Promise<Answer | undefined> {
  try {
    const answer = await fetch(url + path, {
      method: 'POST',
      headers: { 'X-API-KEY': key, 'Content-Type': 'application/json' },
      ...(body && { body: JSON.stringify(body) })
    })
    return { status: answer.status, json: answer.status === 200 || answer.status === 201 ? await answer.json() : undefined }
  } catch {
    return undefined
  }
}

test('workers that wait go on after a restart, asked for or not, and nothing that was published is lost', { timeout: 90_000 }, async () => {
  using folder = temporaryFolder()
  const env = { BUS_CLAIM_TIMEOUT_SECONDS: '5' }
  let bus = await BusProcess.start(folder.path, env)
  try {
    const { url, mainKey: key } = bus
    const { port } = new URL(url)
    const published = new Set<string>()
    const settled = new Map<string, number>()
    let isOver = false
    const worker = async (): Promise<void> => {
      while (!isOver) {
        const claimed = await ask(url, key, '/claim?goal=test&wait=2')
        if (claimed === undefined) await sleep(50)
        if (claimed?.status !== 200) continue
        const { id, claim_token } = claimed.json as { id: string; claim_token: string }
        const answer = await ask(url, key, `/fulfill/${id}`, { claim_token })
        if (answer?.status === 200) settled.set(id, (settled.get(id) ?? 0) + 1)
      }
    }
    const workers = Array.from({ length: 20 }, worker)
    const publisher = (async () => {
      while (!isOver) {
        const answer = await ask(url, key, '/intent', { goal: 'test', payload: published.size })
        if (answer?.status === 201) published.add(answer.json.id as string)
        await sleep(3)
      }
    })()
    const follower = fetch(`${url}/events`, { headers: { 'X-API-KEY': key } }).then((answer) => answer.text().catch(() => ''))
    for (const signal of ['SIGTERM', 'SIGKILL', 'SIGTERM'] as const) {
      await sleep(700)
      const started = performance.now()
      await bus.kill(signal)
      // Those who wait do not hold it up.
      expect(performance.now() - started).toBeLessThan(2_500)
      bus = await BusProcess.start(folder.path, { ...env, BUS_PORT: port })
    }
    await sleep(700)
    const count = published.size
    expect(count).toBeGreaterThan(50)
    isOver = true
    await Promise.all([publisher, ...workers])
    expect(await follower).toContain('event: change')
    // What was in somebody's hands when the bus was killed comes back with the end of its lease.
    await sleep(5_500)
    for (;;) {
      const left = await ask(url, key, '/claim?goal=test&wait=1')
      if (left?.status !== 200) break
      await ask(url, key, `/fulfill/${left.json.id}`, { claim_token: left.json.claim_token })
      settled.set(left.json.id as string, 1)
    }
    const lost: string[] = []
    for (const id of published) {
      const status = await fetch(`${url}/status/${id}`, { headers: { 'X-API-KEY': key } }).then((answer) => answer.json() as Promise<{ status: string }>)
      if (status.status !== 'fulfilled') lost.push(`${id} is ${status.status}`)
    }
    expect(lost).toEqual([])
    expect([...settled.values()].every((times) => times === 1)).toBe(true)
  } finally {
    await bus[Symbol.asyncDispose]()
  }
})
