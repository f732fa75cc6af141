import { parseFilter } from '../../../../shared/control/filter.ts'
import type { ControlError } from '../../../../shared/control/transport.ts'
import { asControlError } from '../../../lib/state/failure.ts'
import { IntentList, type Call } from './intent-list.svelte.ts'

/** The list on screen, and the one that is about to take its place: what is there stays until there is something better. */
export class Listing {
  current = $state.raw<IntentList | null>(null)
  isBusy = $state(false)
  /** Why there is no list of what was asked for. */
  failure = $state.raw<ControlError | null>(null)
  readonly #call: Call
  /** Hears by how many rows what is on screen has moved. */
  readonly #onShift: (rows: number) => void
  #coming: IntentList | undefined

  constructor(call: Call, onShift: (rows: number) => void) {
    this.#call = call
    this.#onShift = onShift
  }

  /** Opens a list for a filter; one that means nothing keeps the list that is there. Never rejects. */
  async show(text: string): Promise<void> {
    if (parseFilter(text).problems.length > 0) return
    const list = new IntentList(text, this.#call)
    this.#coming?.close()
    this.#coming = list
    this.isBusy = true
    try {
      await list.open((rows) => list === this.current && this.#onShift(rows))
      if (this.#coming !== list) return
      this.current?.close()
      this.current = list
      this.failure = null
    } catch (error) {
      if (this.#coming !== list) return
      this.failure = asControlError(error)
    }
    this.#coming = undefined
    this.isBusy = false
  }

  close(): void {
    this.#coming?.close()
    this.#coming = undefined
    this.current?.close()
    this.current = null
  }
}
