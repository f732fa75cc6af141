/** What can change of who is let in. */
export type AccessKind = 'keys' | 'sessions'
export type AccessListener = (what: AccessKind) => void

/** Tells that keys or sessions are other ones than before: what they let in must be looked at again. */
export class AccessEvents {
  readonly #listeners = new Set<AccessListener>()

  tell(what: AccessKind): void {
    for (const listener of [...this.#listeners]) listener(what)
  }

  /** The answer ends it. */
  listen(listener: AccessListener): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }
}
