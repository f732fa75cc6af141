import { powerMonitor, powerSaveBlocker } from 'electron'
import type { BusPicture } from './bus-watch.ts'

export interface PowerOptions {
  /** Tells the bus what the machine does. */
  readonly tell: (what: 'sleeps' | 'wakes') => void
  /** Whether the user wants the machine to stay awake for claimed intents. */
  readonly isWanted: () => boolean
}

/** Sleep of the machine: the bus is told of it, and while intents are claimed it can be kept off. */
export class Power {
  readonly #options: PowerOptions
  #blocker: number | undefined

  constructor(options: PowerOptions) {
    this.#options = options
  }

  listen(): void {
    powerMonitor.on('suspend', () => this.#options.tell('sleeps'))
    powerMonitor.on('resume', () => this.#options.tell('wakes'))
  }

  /** Keeps the machine awake, or lets it sleep again, as it should be while the bus looks like this. */
  follow({ status, counts }: Pick<BusPicture, 'status' | 'counts'>): void {
    const isBusy = this.#options.isWanted() && status?.state === 'running' && counts.claimed > 0
    if (isBusy) this.#blocker ??= powerSaveBlocker.start('prevent-app-suspension')
    else if (this.#blocker !== undefined) {
      powerSaveBlocker.stop(this.#blocker)
      this.#blocker = undefined
    }
  }
}
