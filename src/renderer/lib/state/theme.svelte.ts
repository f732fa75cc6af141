import { readStored, writeStored } from './stored.ts'

export const THEMES = ['system', 'light', 'dark'] as const
export type ThemeName = (typeof THEMES)[number]

/** Light, dark, or what the system says. Kept in this browser, not in the bus. */
export class Theme {
  #name = $state<ThemeName>(THEMES.find((name) => name === readStored('theme')) ?? 'system')
  /** Grows with each change of colours, for what is painted by hand. */
  version = $state(0)

  constructor() {
    this.#apply()
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.version++)
  }

  get name(): ThemeName {
    return this.#name
  }

  set name(name: ThemeName) {
    this.#name = name
    writeStored('theme', name === 'system' ? null : name)
    this.#apply()
  }

  #apply(): void {
    if (this.#name === 'system') delete document.documentElement.dataset.theme
    else document.documentElement.dataset.theme = this.#name
    this.version++
  }
}
