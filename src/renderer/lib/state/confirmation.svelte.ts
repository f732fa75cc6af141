export interface Question {
  readonly title: string
  /** What happens, and to how many. */
  readonly text: string
  /** The button that does it: a verb with its object. */
  readonly action: string
  readonly isDangerous?: boolean
}

/** Asks the user before something is done. One question at a time. */
export class Confirmation {
  question = $state.raw<Question | null>(null)
  #answer: ((isYes: boolean) => void) | undefined

  /** Resolves to whether the user wants it. */
  ask(question: Question): Promise<boolean> {
    this.answer(false)
    this.question = question
    return new Promise((resolve) => (this.#answer = resolve))
  }

  answer(isYes: boolean): void {
    this.question = null
    this.#answer?.(isYes)
    this.#answer = undefined
  }
}
