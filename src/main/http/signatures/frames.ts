/** How the parts of a request are joined to the text that is signed. */
export interface Frame {
  /** `fields`: method, path, timestamp, nonce, body. */
  join(fields: readonly string[]): string
  /** The end of a sentence: "The client signed …". */
  readonly what: string
}

const NAMES = ['method', 'path', 'timestamp', 'nonce', 'body']

/** SPEC 5.2. */
export const RIGHT_FRAME: Frame = { join: (fields) => fields.join('\n'), what: '' }

const SEPARATORS: readonly [separator: string, name: string][] = [
  ['', 'nothing'],
  [':', 'colons'],
  ['|', 'vertical bars'],
  ['.', 'dots'],
  [',', 'commas'],
  [' ', 'spaces'],
  ['&', 'ampersands'],
  ['\r\n', 'CRLF']
]

/** The right order, but ended or joined otherwise. */
export const FIRM_FRAMES: readonly Frame[] = [
  {
    // Only where there is no body: else it is the body that is left out.
    join: ([method, path, timestamp, nonce, body]) => [method, path, timestamp, nonce, ...(body === '' ? [] : [body])].join('\n'),
    what: 'no line break behind the nonce, where there is no body'
  },
  { join: (fields) => `${fields.join('\n')}\n`, what: 'one line break too many at the end' },
  ...SEPARATORS.map(([separator, name]): Frame => {
    return { join: (fields) => fields.join(separator), what: `its lines joined by ${name}, not by line breaks` }
  })
]

/** All others that are tried: the lines in any other order, too. */
export const FRAMES: readonly Frame[] = [
  ...FIRM_FRAMES,
  ...orders([0, 1, 2, 3, 4]).slice(1).flatMap((order) => [inOrder(order, '\n'), inOrder(order, '')]),
  ...orders([0, 1, 2, 3]).slice(1).map((order) => inOrder(order, '\n'))
]

function inOrder(order: readonly number[], separator: string): Frame {
  const names = order.map((i) => NAMES[i])
  const how = separator === '' ? ', joined by nothing' : ''
  return { join: (fields) => order.map((i) => fields[i]).join(separator), what: `its lines in the order ${names.join(', ')}${how}` }
}

/** All orders of some numbers, the given one first. */
function orders(numbers: readonly number[]): number[][] {
  if (numbers.length === 0) return [[]]
  return numbers.flatMap((first) => orders(numbers.filter((other) => other !== first)).map((rest) => [first, ...rest]))
}
