/** Names that are told before the rest is only counted. */
const NAMED = 3

/** `a`, `a and b`, `a, b, c and 4 more`. */
export function listed(names: readonly string[], named = NAMED): string {
  const rest = names.length - named
  if (rest > 0) return `${names.slice(0, named).join(', ')} and ${rest} more`
  return names.length < 2 ? names.join() : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`
}
