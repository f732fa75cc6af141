/** Makes an action of several steps wait for the ones before it, so that steps of two never mix. */
export function oneAtATime<A extends readonly unknown[], T>(action: (...args: A) => Promise<T>): (...args: A) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve()
  return (...args) => {
    const result = last.then(() => action(...args))
    last = result.catch(() => {})
    return result
  }
}
