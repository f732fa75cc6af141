import type { HistoryEvent } from '../../src/shared/history.ts'
import type { BusProcess } from '../support/bus-process.ts'
import { ask, signatureHeaders } from '../support/http-client.ts'

export interface Result {
  readonly status: string
  readonly result: unknown
  readonly error?: string
  readonly claim_attempts: number
}

/** What the tests of the starters ask of a bus beside the workers, as publisher and operator; signed, for any bus. */
export class Client {
  readonly #bus: BusProcess
  readonly #key: string

  constructor(bus: BusProcess, key = bus.mainKey) {
    this.#bus = bus
    this.#key = key
  }

  /** Publishes and gives the id. `payload`: JSON text, sent as it is. */
  async publish(goal: string, payload: string, fields: Readonly<Record<string, unknown>> = {}): Promise<string> {
    const body = `{"payload":${payload},${JSON.stringify({ goal, ...fields }).slice(1)}`
    const headers = signatureHeaders(this.#key, 'POST', '/intent', body)
    const answer = await ask(this.#bus.url, { method: 'POST', path: '/intent', headers, body })
    if (answer.status !== 201) throw new Error(`not published: ${answer.text}`)
    return answer.json.id as string
  }

  async result(id: string): Promise<Result> {
    const path = `/result/${id}`
    return (await ask(this.#bus.url, { path, headers: signatureHeaders(this.#key, 'GET', path, '') })).json as Result
  }

  async status(id: string): Promise<string> {
    return (await this.result(id)).status
  }

  /** What happened to it. */
  async history(id: string): Promise<readonly HistoryEvent[]> {
    return ((await this.#operate('GET', id)) as { history: HistoryEvent[] }).history
  }

  async retry(id: string): Promise<void> {
    await this.#operate('POST', `${id}/retry`)
  }

  async cancel(id: string): Promise<void> {
    await this.#operate('POST', `${id}/cancel`)
  }

  async #operate(method: string, path: string): Promise<unknown> {
    const headers = { Authorization: `Basic ${Buffer.from(`admin:${this.#bus.password}`).toString('base64')}` }
    return (await ask(this.#bus.url, { method, path: `/admin/intents/${path}`, headers })).json
  }
}
