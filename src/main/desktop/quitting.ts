import { app, powerMonitor } from 'electron'

export interface QuittingOptions {
  /** Asks the user where there is something to ask; false keeps the app running. */
  readonly ask: () => Promise<boolean>
  /** Closes what must be closed; bounded in time. */
  readonly close: () => Promise<void>
}

type State = 'running' | 'asking' | 'closing' | 'closed'

/** The one way out: asks a user, not a signal; closes the bus; lets Electron go. */
export class Quitting {
  readonly #options: QuittingOptions
  #state: State = 'running'

  constructor(options: QuittingOptions) {
    this.#options = options
    app.on('before-quit', (event) => {
      if (this.#state === 'closed') return
      event.preventDefault()
      void this.request()
    })
  }

  /** Nothing keeps windows open any more. */
  get isUnderWay(): boolean {
    return this.#state === 'closing' || this.#state === 'closed'
  }

  /** Chromium sets handlers of its own while it starts; these take their place, so the app must be ready. */
  listenToSystem(): void {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => void this.now())
    // The end of a session is told in two ways: to windows on Windows, else to the app.
    app.on('browser-window-created', (_event, window) => window.on('session-end', () => void this.now()))
    powerMonitor.on('shutdown', (event?: { preventDefault(): void }) => {
      event?.preventDefault()
      void this.now()
    })
  }

  /** The user wants to quit. */
  async request(): Promise<void> {
    if (this.#state !== 'running') return
    this.#state = 'asking'
    const isWanted = await this.#options.ask()
    // A signal may have come while the question was open.
    if (this.#state !== 'asking') return
    this.#state = 'running'
    if (isWanted) await this.now()
  }

  /** Quits without a question. */
  async now(): Promise<void> {
    if (this.isUnderWay) return
    this.#state = 'closing'
    await this.#options.close()
    this.#state = 'closed'
    app.quit()
  }
}
