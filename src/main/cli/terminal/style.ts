/** Turns text into text in a colour or weight. */
export type Paint = (text: string) => string

const CODES = {
  bold: [1, 22],
  dim: [2, 22],
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
  blue: [34, 39]
} as const

export type StyleName = keyof typeof CODES
export type Style = Readonly<Record<StyleName, Paint>>

/** Paints of a stream; where colours are off they leave text as it is. */
export function styleFor(isColoured: boolean): Style {
  const paints = Object.entries(CODES).map(([name, [on, off]]) => {
    const paint: Paint = (text) => (isColoured && text !== '' ? `\u001b[${on}m${text}\u001b[${off}m` : text)
    return [name, paint] as const
  })
  return Object.fromEntries(paints) as unknown as Style
}

/** Colours are for terminals that have them, whose user has not said no (https://no-color.org). */
export function wantsColours(stream: { readonly isTTY?: boolean }, env: Readonly<Record<string, string | undefined>>): boolean {
  return stream.isTTY === true && (env.NO_COLOR ?? '') === '' && env.TERM !== 'dumb'
}
