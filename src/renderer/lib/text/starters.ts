import { downloadLine, shellWord } from './commands.ts'
import { CLIENT_FILE } from './places.ts'
import { literal, type KeySource } from './programs.ts'

/** The workers of `examples/`, set to a bus: the same files, with other values in the lines of their configuration. */

export type StarterId = 'bash' | 'powershell' | 'python' | 'python-sdk' | 'typescript' | 'notification' | 'event-log'

export interface StarterOptions {
  readonly url: string
  readonly key: KeySource
  readonly goal: string
  readonly namespace: string
  /** By what it knows a bus that is shared over HTTPS: a pin where it takes one, else the file of the root certificate. */
  readonly trust?: { readonly pin: string; readonly caFile: string }
}

/** What the configuration of a starter calls a value, and how its language writes one. */
interface Syntax {
  /** The beginnings of the lines. */
  readonly names: Readonly<Record<'url' | 'goal' | 'namespace' | 'key' | 'keyFile', string>>
  /** What it knows a shared bus by, and the beginning of that line. */
  readonly trust: { readonly by: 'pin' | 'caFile'; readonly name: string }
  /** A text as this language has it. */
  readonly text: (text: string) => string
  /** A variable of the environment, or an empty text. */
  readonly variable: (name: string) => string
}

const PYTHON: Syntax = {
  names: { url: 'BUS_URL = ', goal: 'GOAL = ', namespace: 'NAMESPACE = ', key: 'API_KEY = ', keyFile: 'KEY_FILE = ' },
  trust: { by: 'caFile', name: 'CA_FILE = ' },
  text: literal,
  variable: (name) => `os.environ.get(${literal(name)}, "")`
}

const SYNTAXES: Readonly<Record<StarterId, Syntax>> = {
  bash: {
    names: { url: 'BUS_URL=', goal: 'GOAL=', namespace: 'NAMESPACE=', key: 'API_KEY=', keyFile: 'KEY_FILE=' },
    trust: { by: 'pin', name: 'PIN=' },
    text: bashText,
    variable: (name) => `"\${${name}-}"`
  },
  powershell: {
    names: { url: '$BusUrl = ', goal: '$Goal = ', namespace: '$Namespace = ', key: '$ApiKey = ', keyFile: '$KeyFile = ' },
    trust: { by: 'caFile', name: '$CaFile = ' },
    text: powershellText,
    variable: (name) => `$env:${name}`
  },
  python: PYTHON,
  'python-sdk': PYTHON,
  notification: PYTHON,
  'event-log': PYTHON,
  typescript: {
    names: {
      url: 'const BUS_URL = ',
      goal: 'const GOAL = ',
      namespace: 'const NAMESPACE = ',
      key: 'const API_KEY = ',
      keyFile: 'const KEY_FILE = '
    },
    trust: { by: 'pin', name: 'const BUS_PIN = ' },
    text: literal,
    variable: (name) => `process.env[${literal(name)}] ?? ''`
  }
}

/** The program of a starter, set to a bus. Throws for a program that does not have each line of the configuration once. */
export function configureStarter(id: StarterId, program: string, { url, key, goal, namespace, trust }: StarterOptions): string {
  const { names, trust: known, text, variable } = SYNTAXES[id]
  let configured = program
  const set = (name: keyof typeof names, value: string): void => {
    configured = withLine(configured, names[name], value)
  }
  set('url', text(url))
  set('goal', text(goal))
  set('namespace', text(namespace))
  if (typeof key === 'string') set('key', text(key))
  else if (key?.in === 'environment') set('key', variable(key.where))
  else if (key?.in === 'file') set('keyFile', text(key.where))
  return trust === undefined ? configured : withLine(configured, known.name, text(trust[known.by]))
}

/** Lines that bring beside a starter what it needs of the bus that it is set to; null where it needs nothing. */
export function preparation(id: StarterId, { url, trust }: Pick<StarterOptions, 'url' | 'trust'>): string | null {
  if (id === 'typescript') {
    if (trust === undefined) return `npm install ${url}/${CLIENT_FILE}`
    // With the root given to npm itself it would trust no registry any more.
    return `${downloadLine(url, trust.pin, CLIENT_FILE)}\nnpm install ./${CLIENT_FILE}`
  }
  if (trust === undefined || SYNTAXES[id].trust.by !== 'caFile') return null
  const line = downloadLine(url, trust.pin, trust.caFile)
  // Windows PowerShell calls something else curl.
  return id === 'powershell' ? line.replace('curl', 'curl.exe') : line
}

/** The text with another value in the only line that begins so. */
function withLine(text: string, beginning: string, value: string): string {
  const lines = text.split('\n')
  const at = lines.findIndex((line) => line.startsWith(beginning))
  const isOnly = at >= 0 && !lines.some((line, i) => i > at && line.startsWith(beginning))
  if (!isOnly) throw new Error(`There must be one line that begins with ${beginning}`)
  return lines.with(at, beginning + value).join('\n')
}

/** A text as one word of bash. */
function bashText(text: string): string {
  if (!UNSEEN.test(text)) return shellWord(text)
  // Quotes and the ! of old commands are written as bytes, too, so that a terminal sees where the word ends.
  return `$'${[...text].map((character) => (/[\\'!]/.test(character) || UNSEEN.test(character) ? inBytes(character) : character)).join('')}'`
}

/** What is seen otherwise than it is written, and what a terminal takes for a key. */
const UNSEEN = /[\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/

function inBytes(character: string): string {
  return [...new TextEncoder().encode(character)].map((byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('')
}

/**
 * A text as an expression of PowerShell. Windows PowerShell reads a file in the system's own code page, where other characters
 * may become quotes, and it takes typographic ones for quotes anyway: all but plain ASCII is percent-encoded.
 */
function powershellText(text: string): string {
  if (/^[ -~]*$/.test(text)) return `'${text.replaceAll("'", "''")}'`
  return `[uri]::UnescapeDataString('${encodeURIComponent(text.toWellFormed()).replaceAll("'", '%27')}')`
}
