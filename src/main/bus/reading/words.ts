/** Characters of a name that a sentence shows. */
const MAX_NAME = 60
const UNITS = [
  { seconds: 86_400, name: 'd' },
  { seconds: 3_600, name: 'h' },
  { seconds: 60, name: 'min' }
] as const

/** "3 h ago"; times are Unix seconds. */
export function ago(at: number, now: number): string {
  const seconds = now - at
  return seconds < 2 ? 'just now' : `${duration(seconds)} ago`
}

/** "in 12 s"; times are Unix seconds. */
export function until(at: number, now: number): string {
  const seconds = at - now
  return seconds < 1 ? 'now' : `in ${duration(seconds)}`
}

/** "20 min": whole units, the largest that there is one of. */
export function duration(seconds: number): string {
  const unit = UNITS.find((candidate) => seconds >= candidate.seconds)
  return unit === undefined ? `${Math.max(0, Math.floor(seconds))} s` : `${Math.floor(seconds / unit.seconds)} ${unit.name}`
}

/** "1 intent", "1,200 intents". */
export function plural(count: number, noun: string, nouns = `${noun}s`): string {
  return `${count.toLocaleString('en-US')} ${count === 1 ? noun : nouns}`
}

/** A name in backticks, cut where it is too long for a sentence. */
export function code(name: string): string {
  return `\`${name.length <= MAX_NAME ? name : `${name.slice(0, MAX_NAME - 1)}…`}\``
}

/** "`a`, `b` and 3 more". */
export function enumerate(names: readonly string[], shown = 3): string {
  if (names.length > shown) return `${names.slice(0, shown).join(', ')} and ${names.length - shown} more`
  if (names.length < 2) return names.join('')
  return `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`
}
