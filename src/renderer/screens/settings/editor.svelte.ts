import type { SettingName, Settings } from '../../../shared/control/settings.ts'
import type { SettingsView } from '../../../shared/control/status-views.ts'
import { asControlError } from '../../lib/state/failure.ts'
import type { Interface } from '../../lib/state/interface.ts'
import type { Query } from '../../lib/state/query.svelte.ts'
import { heldBecause } from './settings.ts'

/** What a change means, to be said once it is made; asked for where only the bus knows. */
type Meaning = string | (() => Promise<string>)

/** The settings as the bus has them, and the way to change some. */
export class SettingsEditor {
  readonly #shared: Interface
  readonly #query: Query<SettingsView>
  /** What is being changed. */
  #busy = $state.raw<readonly string[]>([])

  /** `query`: the bus's latest answer, which must be there. */
  constructor(shared: Interface, query: Query<SettingsView>) {
    this.#shared = shared
    this.#query = query
  }

  get view(): SettingsView {
    return this.#query.value!
  }

  get values(): Settings {
    return this.view.values
  }

  /** Why a setting cannot be changed here; undefined when it can. */
  held(name: SettingName): string | undefined {
    return heldBecause(this.view, name)
  }

  isBusy(name: SettingName): boolean {
    return this.#busy.includes(name)
  }

  /** Changes some, and says what that means. Rejects with ControlError. */
  async change(change: Partial<Settings>, meaning: Meaning): Promise<void> {
    this.#busy = Object.keys(change)
    try {
      this.#query.value = await this.#shared.call('settings.change', change)
      this.#shared.toasts.say(typeof meaning === 'string' ? meaning : await meaning())
    } finally {
      this.#busy = []
    }
  }

  /** The same for a field that shows why it was refused; the answer is null when it was not. */
  async tryChange(change: Partial<Settings>, meaning: Meaning): Promise<string | null> {
    try {
      await this.change(change, meaning)
      return null
    } catch (error) {
      return asControlError(error).message
    }
  }

  /** The same for a switch. */
  async flip(change: Partial<Settings>, meaning: string): Promise<void> {
    await this.#shared.attempt(() => this.change(change, meaning))
  }
}
