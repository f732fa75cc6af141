import { writeJson } from '../../client/index.ts'
import { TTL } from '../../../shared/limits.ts'
import { FILE_OPTION, readJsonInput } from '../arguments/json-input.ts'
import type { Action, Group } from '../command.ts'
import { CommandError, EXIT, UsageError } from '../exit.ts'
import { cleanJson, cleanLines } from '../terminal/clean.ts'
import { prettyJson } from '../terminal/json.ts'
import type { Output } from '../terminal/output.ts'

const get: Action = {
  name: 'get',
  summary: 'print a value',
  usage: '<key>',
  arity: { min: 1, max: 1 },
  options: [],
  details: 'A text is printed as text, all else as JSON; with --json all is JSON. Where there is nothing it prints nothing, and ends with 5.',

  async run({ args, client, output, signals }) {
    const key = args.positionals[0]!
    const found = await client().find(key, { signal: signals.signal })
    if (found === undefined) throw new CommandError(EXIT.nothing, `There is nothing under ${key}, or no more.`)
    await output.line(valueText(output, found.value))
    return EXIT.done
  }
}

const set: Action = {
  name: 'set',
  summary: 'keep a value for a while',
  usage: '<key> <value|->',
  arity: { min: 1, max: 2 },
  options: [
    FILE_OPTION,
    { name: 'ttl', value: 'seconds', summary: `how long, up to ${TTL.max} (${TTL.default})` },
    { name: 'idempotency-key', value: 'key', summary: 'the same key sets once within 24 hours' }
  ],
  details: 'The value is JSON: as an argument, from standard input (-), or from --file.',
  examples: [`intent-bus kv set greeting '"hello"' --ttl 3600`],

  async run(context) {
    const { args, output, signals } = context
    const ttl = args.seconds('ttl', TTL)
    const [key, text] = args.positionals
    const value = await readJsonInput(context, text)
    if (value === undefined) throw new UsageError('There is no value: an argument, - for standard input, or --file.')
    await context.client().set(key!, value, { ttl, idempotencyKey: args.text('idempotency-key'), signal: signals.signal })
    if (output.isJson) await output.json({ key, ttl: ttl ?? TTL.default })
    return EXIT.done
  }
}

export const kv: Group = {
  name: 'kv',
  summary: 'read and write the shared memory of a key',
  actions: [get, set]
}

function valueText({ isJson, isTerminal }: Output, value: unknown): string {
  if (typeof value === 'string' && !isJson) return isTerminal ? cleanLines(value) : value
  const json = writeJson(value)
  return isTerminal && !isJson ? cleanJson(prettyJson(json)) : json
}
