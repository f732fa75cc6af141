import { certificateFile } from '../bus/paired.ts'
import type { Action, Group } from '../command.ts'
import { EXIT } from '../exit.ts'
import { limitsText } from '../pairing/limits.ts'
import { nowInSeconds, relativeTime } from '../terminal/time.ts'

const list: Action = {
  name: 'list',
  summary: 'list the buses that this machine is paired with',
  usage: '',
  arity: { min: 0, max: 0 },
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
    const columns = [...titles.map((title) => ({ title })), { title: 'ITS KEY', shrinksTo: 12 }]
    const rows = buses.map(({ name, url, keyId, pairedAt, limits }) => {
      return [name, url, keyId, relativeTime(pairedAt, now), limitsText(limits)]
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
  usage: '<name>',
  arity: { min: 1, max: 1 },
  options: [],
  details: `
    The worker starters and the client for TypeScript take them. Other programs take the address, the key and the root
    certificate, as curl's --cacert does.`,
  examples: ['eval "$(intent-bus buses env home)" && python3 worker.py'],

  async run({ args, output, paired }) {
    const { name, url, key, pin } = paired.find(args.positionals[0]!)
    const variables = { INTENT_BUS_URL: url, INTENT_API_KEY: key, INTENT_BUS_PIN: pin, INTENT_BUS_CA: certificateFile(name) }
    if (output.isJson) await output.json(variables)
    else await output.line(Object.entries(variables).map(([variable, value]) => `export ${variable}=${quoted(value)}`).join('\n'))
    return EXIT.done
  }
}

export const buses: Group = {
  name: 'buses',
  summary: 'list and forget the buses that this machine is paired with',
  actions: [list, forget, env]
}

/** As shells read a word. */
function quoted(text: string): string {
  return /^[A-Za-z0-9_@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`
}
