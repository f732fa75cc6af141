import { limitsText } from '../../../shared/control/limits-text.ts'
import { certificateFile, type NamedBus, type Paired } from '../bus/paired.ts'
import type { Action, Group } from '../command.ts'
import { CommandError, EXIT, UsageError } from '../exit.ts'
import { exactTime, nowInSeconds, relativeTime } from '../terminal/time.ts'

/** How shells set a variable for the programs that they start. */
const ASSIGNMENTS = {
  sh: (name: string, value: string): string => `export ${name}=${quoted(value)}`,
  fish: (name: string, value: string): string => `set -gx ${name} '${value.replace(/['\\]/g, '\\$&')}'`,
  // Typographic quotes end a text there, too.
  powershell: (name: string, value: string): string => `$env:${name} = '${value.replace(/['\u2018-\u201b]/g, '$&$&')}'`
} as const

const list: Action = {
  name: 'list',
  summary: 'list the buses that this machine is paired with',
  usage: '',
  arity: { min: 0, max: 0 },
  asksNoBus: true,
  options: [],

  async run({ output, paired }) {
    const buses = paired.all
    if (output.isJson) {
      await output.json(buses.map(({ key: _, ca: __, ...bus }) => ({ ...bus, caFile: certificateFile(bus.name) })))
    }
    if (buses.length === 0) {
      output.note('This machine is paired with no bus.')
      return EXIT.nothing
    }
    if (output.isJson) return EXIT.done
    const now = nowInSeconds()
    const titles = ['NAME', 'URL', 'KEY', 'PAIRED']
    const columns = [...titles.map((title) => ({ title })), { title: 'LIMITS', shrinksTo: 12 }]
    const rows = buses.map(({ name, url, keyId, pairedAt, limits }) => {
      return [name, url, keyId, relativeTime(pairedAt, now), limitsText(limits, { time: exactTime })]
    })
    await output.table(columns, rows)
    return EXIT.done
  }
}

const forget: Action = {
  name: 'forget',
  summary: 'forget a bus, with its key; the key still counts until it is revoked there',
  usage: '<name>',
  arity: { min: 1, max: 1 },
  asksNoBus: true,
  options: [],

  async run({ args, output, paired }) {
    const { name, url, keyId } = paired.find(args.positionals[0]!)
    paired.forget(name)
    if (output.isJson) await output.json({ name, url, keyId })
    else await output.line(`Forgot ${name}.`)
    output.note(`Its key ${keyId} still counts at ${url}: revoke it there, under Keys.`)
    return EXIT.done
  }
}

const env: Action = {
  name: 'env',
  summary: 'print the variables by which other programs find a bus, its key included',
  usage: '[name]',
  arity: { min: 0, max: 1 },
  asksNoBus: true,
  options: [{ name: 'shell', choices: Object.keys(ASSIGNMENTS), summary: 'the shell that is to read them (sh)' }],
  details: `
    The name may be left out where this machine is paired with one bus only. The worker starters and the client for TypeScript take
    them. Other programs take the address, the key and the root certificate, as curl's --cacert does.`,
  examples: [
    'eval "$(intent-bus buses env)" && python3 worker.py',
    'intent-bus buses env home --shell powershell | Out-String | Invoke-Expression'
  ],

  async run({ args, output, paired }) {
    const { name, url, key, pin } = wantedBus(paired, args.positionals[0])
    const variables = { INTENT_BUS_URL: url, INTENT_API_KEY: key, INTENT_BUS_PIN: pin, INTENT_BUS_CA: certificateFile(name) }
    if (output.isJson) await output.json(variables)
    else {
      const assignment = ASSIGNMENTS[(args.text('shell') ?? 'sh') as keyof typeof ASSIGNMENTS]
      await output.line(Object.entries(variables).map(([variable, value]) => assignment(variable, value)).join('\n'))
    }
    return EXIT.done
  }
}

export const buses: Group = {
  name: 'buses',
  summary: 'list and forget the buses that this machine is paired with, and hand them to other programs',
  actions: [list, forget, env]
}

/** The only bus, where none is named. Throws CommandError. */
function wantedBus(paired: Paired, name: string | undefined): NamedBus {
  if (name !== undefined) return paired.find(name)
  const [only, ...others] = paired.all
  if (only === undefined) {
    throw new CommandError(EXIT.nothing, 'This machine is paired with no bus.', '`intent-bus pair <address>` pairs it with one.')
  }
  if (others.length === 0) return only
  const names = paired.all.map((bus) => bus.name).join(', ')
  throw new UsageError('This machine is paired with several buses: name one.', `There are ${names}.`)
}

/** As POSIX shells read a word. */
function quoted(text: string): string {
  return /^[A-Za-z0-9_@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`
}
