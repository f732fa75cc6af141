import { existsSync, writeFileSync } from 'node:fs'
import { isLimited, limitsText } from '../../../shared/control/limits-text.ts'
import type { KeyImpact, KeyView } from '../../../shared/control/key-views.ts'
import { counted, formatNumber } from '../../../shared/numbers.ts'
import { NO_LIMITS, type KeyLimits } from '../../../shared/scope.ts'
import type { Operator } from '../bus/operator.ts'
import type { Context } from '../context.ts'
import type { Action, Group } from '../command.ts'
import { CommandError, EXIT, UsageError } from '../exit.ts'
import { LIMIT_OPTIONS, readLimits, saysLimits } from '../keys/limits.ts'
import { isConfirmed } from '../terminal/ask.ts'
import { cleanLine } from '../terminal/clean.ts'
import { exactTime, nowInSeconds, relativeTime } from '../terminal/time.ts'

const list: Action = {
  name: 'list',
  summary: 'list keys, with what they published',
  usage: '',
  arity: { min: 0, max: 0 },
  options: [],

  async run({ operator, output }) {
    const keys = await operator().call('keys.list', {})
    if (output.isJson) {
      await output.json(keys)
      return EXIT.done
    }
    const now = nowInSeconds()
    const hasLimits = keys.some(isLimited)
    const columns = [
      { title: 'ID' },
      { title: 'OWNER', shrinksTo: 10 },
      { title: 'LAST USED', align: 'right' },
      { title: 'REQUESTS', align: 'right' },
      { title: 'OPEN', align: 'right' },
      { title: 'CLAIMED', align: 'right' },
      { title: 'FULFILLED', align: 'right' },
      { title: 'DEAD', align: 'right' },
      ...(hasLimits ? [{ title: 'LIMITS', shrinksTo: 12 }] : [])
    ] as const
    const rows = keys.map((key) => {
      const { id, owner, lastUsedAt, requests, intents } = key
      const used = lastUsedAt === null ? 'never' : relativeTime(lastUsedAt, now)
      const counts = [requests, intents.open, intents.claimed, intents.fulfilled, intents.dead].map(formatNumber)
      const limits = isLimited(key) ? limitWords(key, now) : ''
      return [id, owner, used, ...counts, ...(hasLimits ? [limits] : [])]
    })
    await output.table(columns, rows)
    return EXIT.done
  }
}

const create: Action = {
  name: 'create',
  summary: 'make a key; it is shown this once',
  usage: '<owner>',
  arity: { min: 1, max: 1 },
  options: [
    { name: 'save', value: 'file', isFile: true, summary: 'write it into a new file that only you can read, and print none' },
    ...LIMIT_OPTIONS
  ],
  details: 'Without limits it may publish, claim and read in all namespaces, until it is revoked.',
  examples: [
    "intent-bus keys create 'raspberry pi' --save pi.key",
    "intent-bus keys create pi4 --roles claim,read --goals 'resize.*,thumbnail' --expires 90d"
  ],

  async run({ args, operator, output }) {
    const file = args.text('save')
    // A key that was made for nothing would have to be revoked.
    if (file !== undefined && existsSync(file)) {
      throw new CommandError(EXIT.refused, `${file} is there already, and may be another key.`, 'Name a new file.')
    }
    const now = nowInSeconds()
    const limits = readLimits(args, now)
    const { id, owner, secret } = await operator().call('keys.create', { owner: args.positionals[0]!, ...limits })
    if (file !== undefined) saveKey(file, secret, id)
    if (output.isJson) {
      await output.json({ id, owner, ...limits, ...(file === undefined ? { secret } : { file }) })
      return EXIT.done
    }
    if (file === undefined) {
      await output.line(cleanLine(secret))
      output.note(`This is the key of ${owner} (${id}). It is not shown again.`)
    } else {
      output.note(`The key of ${owner} (${id}) is in ${file}.`)
    }
    if (isLimited(limits)) output.note(`Its limits: ${limitWords(limits, now)}.`)
    return EXIT.done
  }
}

const limit: Action = {
  name: 'limit',
  summary: 'change what a key may do, and until when',
  usage: '<id|owner>',
  arity: { min: 1, max: 1 },
  options: [...LIMIT_OPTIONS, { name: 'no-limits', summary: 'lift all limits, but for those that are given with it' }],
  details: 'Limits that are not named stay as they are. They count from the next request on.',
  examples: ['intent-bus keys limit pi4 --rate 600', 'intent-bus keys limit pi4 --no-limits --roles claim,read'],

  async run({ args, operator, output }) {
    if (!saysLimits(args) && !args.flag('no-limits')) {
      throw new UsageError('There is no limit to change.', 'Name some, or lift all with --no-limits; `intent-bus help keys limit` tells more.')
    }
    const now = nowInSeconds()
    // A mistake is told before anything is asked of the bus.
    readLimits(args, now)
    const bus = operator()
    const key = await findKey(bus, args.positionals[0]!)
    const limits = readLimits(args, now, args.flag('no-limits') ? NO_LIMITS : key)
    await bus.call('keys.limit', { id: key.id, ...limits })
    if (output.isJson) await output.json({ id: key.id, owner: key.owner, ...limits })
    else await output.line(cleanLine(`${key.id} of ${key.owner}: ${limitWords(limits, now)}.`))
    return EXIT.done
  }
}

const revoke: Action = {
  name: 'revoke',
  summary: 'end a key for good',
  usage: '<id|owner>',
  arity: { min: 1, max: 1 },
  options: [{ name: 'yes', short: 'y', summary: 'do not ask' }],

  async run(context) {
    const { args, output } = context
    const operator = context.operator()
    const { id } = await findKey(operator, args.positionals[0]!)
    const impact = await operator.call('keys.impact', { id })
    if (!args.flag('yes') && !(await isAgreed(context, id, impact))) {
      output.note('Nothing was changed.')
      return EXIT.refused
    }
    await operator.call('keys.revoke', { id })
    if (output.isJson) await output.json({ id, ...impact })
    else await output.line(cleanLine(`Revoked ${id}.`))
    return EXIT.done
  }
}

export const keys: Group = {
  name: 'keys',
  summary: 'list, make, limit and revoke keys, for operators',
  actions: [list, create, limit, revoke]
}

/** What limits a key, in a few words; one that is over by now says so. */
function limitWords(limits: KeyLimits, now: number): string {
  return limitsText(limits, { time: (at) => `${exactTime(at)}${at > now ? '' : ' (over)'}` })
}

/** A key that is named by its id, or else by an owner who has only one: a device may call itself by another key's id. Throws CommandError. */
async function findKey(operator: Operator, text: string): Promise<KeyView> {
  const all = await operator.call('keys.list', {})
  const named = all.find(({ id }) => id === text)
  if (named !== undefined) return named
  const owned = all.filter(({ owner }) => owner === text)
  if (owned.length === 1) return owned[0]!
  const cure = '`intent-bus keys list` shows them with their owners.'
  if (owned.length === 0) throw new CommandError(EXIT.nothing, `There is no key ${text}.`, cure)
  throw new CommandError(EXIT.refused, `${text} has ${counted(owned.length, 'key')}: name one by its id.`, cure)
}

function isAgreed({ stdin, signals }: Context, id: string, { open, claimed, leases, workers }: KeyImpact): Promise<boolean> {
  const intents = `${counted(open, 'open intent')}, ${counted(claimed, 'claimed one')}`
  const touched = `${intents}, ${counted(leases, 'lease')} and ${counted(workers.length, 'worker')}`
  return isConfirmed(`Revoke ${id}? It has ${touched}.`, stdin, signals.signal)
}

/** A file that is there already may be the key of something else. */
function saveKey(path: string, secret: string, id: string): void {
  try {
    writeFileSync(path, `${secret}\n`, { mode: 0o600, flag: 'wx' })
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    const problem = `The key ${id} was made, but ${path} cannot be written (${code ?? message}).`
    throw new CommandError(EXIT.refused, problem, `Nobody has seen it: run intent-bus keys revoke ${id}, and make another.`)
  }
}
