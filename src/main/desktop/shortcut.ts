import { globalShortcut } from 'electron'

/** The keys that open the panel from anywhere. */
export class PanelShortcut {
  readonly #press: () => void
  #current = ''

  constructor(press: () => void) {
    this.#press = press
  }

  /** Takes other keys, none for ''. Throws a sentence when they cannot be had; then the keys before still work. */
  set(accelerator: string): void {
    if (accelerator === this.#current) return
    if (accelerator !== '' && !register(accelerator, this.#press)) {
      const reason = 'another program has it, or it is none. Choose other keys, or leave it empty.'
      throw new Error(`The shortcut ${accelerator} cannot be used: ${reason}`)
    }
    if (this.#current !== '') globalShortcut.unregister(this.#current)
    this.#current = accelerator
  }
}

/** Electron throws at keys that it does not know and answers false for keys that are taken. */
function register(accelerator: string, press: () => void): boolean {
  try {
    return globalShortcut.register(accelerator, press)
  } catch {
    return false
  }
}
