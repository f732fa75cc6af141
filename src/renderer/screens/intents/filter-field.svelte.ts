import { parseFilter, suggest, type FilterProblem, type Suggestion } from '../../../shared/control/filter.ts'
import type { NamesView } from '../../../shared/control/worker-views.ts'
import { complete } from './completion.ts'

/** Milliseconds after the last key in which a filter takes effect by itself. */
const PAUSE_MS = 300
const NO_NAMES: NamesView = { namespaces: [], goals: [], capabilities: [], workers: [] }

/** The search field: what is typed, what may come next, and what is wrong with it. */
export class FilterField {
  text = $state('')
  caret = $state(0)
  isFocused = $state(false)
  /** Whether completions are offered. */
  isOpen = $state(false)
  /** Index of the completion that Enter takes; -1 for none. */
  chosen = $state(-1)
  names = $state.raw<NamesView>(NO_NAMES)
  /** Without what stands there already. */
  readonly suggestions: readonly Suggestion[] = $derived(
    this.isOpen ? suggest(this.text, this.caret, this.names).filter(({ from, to, insert }) => this.text.slice(from, to) !== insert) : []
  )
  readonly #filter = $derived(parseFilter(this.text))
  /** A term that is still being written is no mistake yet. */
  readonly problems: readonly FilterProblem[] = $derived(
    this.#filter.problems.filter(({ at, length }) => !this.isFocused || !this.isOpen || this.caret < at || this.caret > at + length)
  )
  readonly #onApply: (text: string) => void
  #timer: ReturnType<typeof setTimeout> | undefined

  /** `onApply` hears a filter that is to take effect. */
  constructor(onApply: (text: string) => void) {
    this.#onApply = onApply
  }

  /** Shows a filter that came from elsewhere. */
  show(text: string): void {
    this.#stopWaiting()
    this.text = text
    this.caret = text.length
    this.chosen = -1
  }

  /** Takes what was typed; it takes effect after a pause, once it means something. */
  type(text: string, caret: number): void {
    this.text = text
    this.caret = caret
    this.isOpen = true
    this.chosen = -1
    this.#stopWaiting()
    this.#timer = setTimeout(() => this.#applyIfSound(), PAUSE_MS)
  }

  /** The focus goes elsewhere: what is done there is meant for what was typed. */
  leave(): void {
    this.isFocused = false
    this.isOpen = false
    if (this.#timer !== undefined) this.#applyIfSound()
  }

  /** Moves through the completions, round and round. */
  move(step: 1 | -1): void {
    const steps = this.suggestions.length + 1
    if (this.isOpen) this.chosen = ((this.chosen + 1 + step + steps) % steps) - 1
    this.isOpen = true
  }

  /** Puts a completion into the text. */
  accept(suggestion: Suggestion): void {
    const { text, caret, isFinished } = complete(this.text, suggestion)
    this.type(text, caret)
    if (isFinished) this.apply()
    this.isOpen = !isFinished
  }

  /** Makes it take effect at once, mistakes and all. */
  apply(): void {
    this.#stopWaiting()
    this.isOpen = false
    this.chosen = -1
    this.#onApply(this.text.trim())
  }

  #applyIfSound(): void {
    this.#stopWaiting()
    if (this.#filter.problems.length === 0) this.#onApply(this.text.trim())
  }

  #stopWaiting(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
  }
}
