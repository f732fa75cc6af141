import type { ControlError } from '../../../shared/control/transport.ts'
import { asControlError } from './failure.ts'
import type { Connection } from './connection.svelte.ts'
import type { BrowserSession } from '../transport/http.ts'

/** Milliseconds before the bus is asked again when it could not be reached: a phone's network comes and goes. */
const RETRY_MS = 1_500

/** A browser that asks to be let in by a code, until somebody at the bus has decided. */
export class Admission {
  state = $state<'naming' | 'asking' | 'waiting'>('naming')
  /** Why it was not let in. */
  failure = $state.raw<ControlError | null>(null)
  readonly #session: BrowserSession
  readonly #connection: Connection
  /** Counts attempts: one that was given up does not go on. */
  #turn = 0

  constructor(session: BrowserSession, connection: Connection) {
    this.#session = session
    this.#connection = connection
  }

  /** Asks, waits for the decision, and goes in. Never rejects. */
  async ask(code: string, name: string): Promise<void> {
    const turn = ++this.#turn
    this.state = 'asking'
    this.failure = null
    try {
      const ticket = await this.#session.askToPair(code, name)
      if (turn !== this.#turn) return
      this.state = 'waiting'
      while (!(await this.#isLetIn(ticket))) {
        if (turn !== this.#turn) return
      }
      if (turn === this.#turn) await this.#connection.enter()
    } catch (error) {
      if (turn !== this.#turn) return
      this.failure = asControlError(error)
      this.state = 'naming'
    }
  }

  /** Waits no longer. */
  giveUp(): void {
    this.#turn++
    this.state = 'naming'
  }

  /** What cannot be reached may be reached again in a moment: the request stands meanwhile. */
  async #isLetIn(ticket: Parameters<BrowserSession['isLetIn']>[0]): Promise<boolean> {
    try {
      return await this.#session.isLetIn(ticket)
    } catch (error) {
      if (asControlError(error).code !== 'unreachable') throw error
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS))
      return false
    }
  }
}
