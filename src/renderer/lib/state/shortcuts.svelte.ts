import { untrack } from 'svelte'
import { readStored, writeStored } from './stored.ts'

export interface Shortcut {
  /** One key, or two with a space between that are pressed one after the other: `?`, `j`, `g o`. */
  readonly keys: string
  /** What it does, for the help. */
  readonly label: string
  /** Heading of the help under which it stands. */
  readonly group: string
  run(): void
}

/** Milliseconds in which the second key has to come. */
const SEQUENCE_MS = 1_500

/** Keys without modifiers that do something. Not while somebody types, and not behind a dialog. */
export class Shortcuts {
  all = $state.raw<readonly Shortcut[]>([])
  #areOn = $state(readStored('shortcuts') !== 'off')
  #first = ''
  #firstAt = -Infinity

  constructor() {
    addEventListener('keydown', (event) => this.#press(event))
  }

  /** People who speak to their machine, or tremble, turn single keys off (WCAG 2.1.4). */
  get areOn(): boolean {
    return this.#areOn
  }

  set areOn(areOn: boolean) {
    this.#areOn = areOn
    writeStored('shortcuts', areOn ? null : 'off')
  }

  /** Adds some until the answer is called: `$effect(() => shortcuts.add([…]))`. Of two for the same keys the later counts. */
  add(shortcuts: readonly Shortcut[]): () => void {
    this.all = [...untrack(() => this.all), ...shortcuts]
    return () => {
      this.all = this.all.filter((shortcut) => !shortcuts.includes(shortcut))
    }
  }

  #press(event: KeyboardEvent): void {
    if (!this.#areOn || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return
    if (event.key === 'Shift' || isTyping(event) || document.querySelector('dialog:modal, :popover-open') !== null) return
    const isSecond = this.#first !== '' && event.timeStamp - this.#firstAt < SEQUENCE_MS
    const pressed = isSecond ? `${this.#first} ${event.key}` : event.key
    this.#first = ''
    const shortcut = this.all.findLast(({ keys }) => keys === pressed)
    if (shortcut !== undefined) {
      event.preventDefault()
      shortcut.run()
    } else if (!isSecond && this.all.some(({ keys }) => keys.startsWith(`${event.key} `))) {
      this.#first = event.key
      this.#firstAt = event.timeStamp
    }
  }
}

function isTyping(event: KeyboardEvent): boolean {
  // Editors live in shadow trees: the path knows where the key really went.
  const target = event.composedPath()[0]
  if (!(target instanceof HTMLElement)) return false
  if (target.isContentEditable || target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement) return true
  return target instanceof HTMLInputElement && !['checkbox', 'radio', 'button', 'range'].includes(target.type)
}
