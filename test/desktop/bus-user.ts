import { ask, type HttpAnswer } from '../support/http-client.ts'
import type { DesktopApp } from './driver.ts'

/** Whoever uses the bus of a desktop app over HTTP, with its main key. */
export class BusUser {
  readonly url: string
  readonly #headers: Readonly<Record<string, string>>

  private constructor(url: string, key: string, worker: string) {
    this.url = url
    this.#headers = { 'X-API-KEY': key, 'X-Worker-ID': worker }
  }

  static async of(app: DesktopApp, worker = 'pi4'): Promise<BusUser> {
    return new BusUser(await app.url(), await app.mainKey(), worker)
  }

  /** Gives the intent's id. */
  async publish(goal: string, fields: object = {}): Promise<string> {
    const { json } = await this.#post('/intent', { goal, payload: '{}', ...fields })
    return (json as { id: string }).id
  }

  async claim(goal: string): Promise<{ readonly id: string; readonly claim_token: string }> {
    return (await this.#post(`/claim?goal=${goal}`)).json as { id: string; claim_token: string }
  }

  async fulfill({ id, claim_token }: { readonly id: string; readonly claim_token: string }): Promise<number> {
    return (await this.#post(`/fulfill/${id}`, { claim_token, result: 'done' })).status
  }

  /** Publishes an intent that dies at its only attempt; gives its id. */
  async bury(goal: string, error: string): Promise<string> {
    await this.publish(goal, { max_attempts: 1 })
    const { id, claim_token } = await this.claim(goal)
    await this.#post(`/fail/${id}`, { claim_token, error })
    return id
  }

  #post(path: string, body?: object): Promise<HttpAnswer> {
    return ask(this.url, { method: 'POST', path, headers: this.#headers, ...(body && { body }) })
  }
}
