/** Key combinations in Electron's notation: `CommandOrControl+Shift+I`. */

/** What a KeyboardEvent tells of a press. */
export interface KeyPress {
  readonly key: string
  readonly code: string
  readonly ctrlKey: boolean
  readonly metaKey: boolean
  readonly altKey: boolean
  readonly shiftKey: boolean
}

const MODIFIER_KEYS = new Set(['Control', 'Meta', 'Alt', 'AltGraph', 'Shift', 'OS', 'Fn', 'CapsLock', 'Dead', 'Process', 'Unidentified'])

const NAMED_KEYS: Readonly<Record<string, string>> = {
  ' ': 'Space',
  ArrowUp: 'Up',
  ArrowDown: 'Down',
  ArrowLeft: 'Left',
  ArrowRight: 'Right',
  Enter: 'Return',
  Home: 'Home',
  End: 'End',
  PageUp: 'PageUp',
  PageDown: 'PageDown',
  Insert: 'Insert',
  Delete: 'Delete',
  Backspace: 'Backspace',
  Tab: 'Tab'
}

/** Keys whose character changes with Shift or Option: told by where they are. */
const PLACED_KEYS: Readonly<Record<string, string>> = {
  Minus: '-',
  Equal: '=',
  Comma: ',',
  Period: '.',
  Slash: '/',
  Backslash: '\\',
  Semicolon: ';',
  Quote: "'",
  BracketLeft: '[',
  BracketRight: ']',
  Backquote: '`'
}

const WORDS: Readonly<Record<string, { readonly mac: string; readonly other: string }>> = {
  CommandOrControl: { mac: 'Command', other: 'Ctrl' },
  Control: { mac: 'Control', other: 'Ctrl' },
  Alt: { mac: 'Option', other: 'Alt' },
  Super: { mac: 'Command', other: 'Super' }
}

/**
 * The pressed keys as an accelerator; a sentence where they cannot be a shortcut for the whole system; null while only
 * modifiers are held. `platform` as in Node.
 */
export function acceleratorOf(press: KeyPress, platform: string): { readonly accelerator: string } | { readonly problem: string } | null {
  if (MODIFIER_KEYS.has(press.key)) return null
  const key = keyName(press)
  if (key === undefined) return { problem: 'This key cannot be used. Take a letter, a digit or a function key.' }
  const isMac = platform === 'darwin'
  const modifiers = [
    (isMac ? press.metaKey : press.ctrlKey) && 'CommandOrControl',
    isMac ? press.ctrlKey && 'Control' : press.metaKey && 'Super',
    press.altKey && 'Alt',
    press.shiftKey && 'Shift'
  ].filter((modifier) => modifier !== false)
  // Alone, a key that types something would be taken from every other program.
  const isSafe = modifiers.some((modifier) => modifier !== 'Shift') || /^F\d+$/.test(key)
  const others = isMac ? 'Command, Control or Option' : 'Ctrl, Alt or Super'
  if (!isSafe) return { problem: `Hold ${others} as well: a key alone would be taken from every other program.` }
  return { accelerator: [...modifiers, key].join('+') }
}

/** An accelerator as the words on the keys; none for ''. */
export function acceleratorWords(accelerator: string, platform: string): string[] {
  if (accelerator === '') return []
  return accelerator.split('+').map((part) => WORDS[part]?.[platform === 'darwin' ? 'mac' : 'other'] ?? part)
}

function keyName({ key, code }: KeyPress): string | undefined {
  if (/^[a-z]$/i.test(key)) return key.toUpperCase()
  if (/^F([1-9]|1\d|2[0-4])$/.test(key)) return key
  // Option types other characters on a Mac, Shift other ones than the digit.
  return NAMED_KEYS[key] ?? /^(?:Key|Digit)([A-Z0-9])$/.exec(code)?.[1] ?? PLACED_KEYS[code]
}
