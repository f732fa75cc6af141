import type { Action } from '../command.ts'
import type { Paired } from '../bus/paired.ts'
import { findBuses, type FoundBus } from '../discovery/find.ts'
import { CommandError, EXIT } from '../exit.ts'

const DEFAULT_TIMEOUT = 3
const TIMEOUT = { min: 0.5, max: 60 } as const

export const find: Action = {
  name: 'find',
  summary: 'find the buses that announce themselves on the network',
  usage: '',
  arity: { min: 0, max: 0 },
  options: [{ name: 'timeout', value: 'seconds', summary: `look for so long (${DEFAULT_TIMEOUT})` }],
  details: `
    It asks by multicast DNS. What is found has only said that it is a bus: pairing proves it. A bus that does not announce
    itself is paired with by its address.`,

  async run({ args, output, paired, signals }) {
    const seconds = args.seconds('timeout', TIMEOUT) ?? DEFAULT_TIMEOUT
    const found = await findBuses(seconds, signals.signal).catch((error: NodeJS.ErrnoException) => {
      signals.signal.throwIfAborted()
      const problem = `The network cannot be asked (${error.code ?? error.message}).`
      const cure = 'Another program may keep port 5353 of UDP to itself; `intent-bus pair <address>` does without.'
      throw new CommandError(EXIT.unreachable, problem, cure)
    })
    const buses = found.map((bus) => shownBus(bus, paired))
    if (output.isJson) await output.json(buses)
    if (buses.length === 0) {
      output.note('No bus has announced itself: it may not be shared, or the network lets no multicast through.')
      return EXIT.nothing
    }
    if (output.isJson) return EXIT.done
    const columns = [{ title: 'NAME', shrinksTo: 10 }, { title: 'URL' }, { title: 'PAIRED' }] as const
    await output.table(columns, buses.map(({ name, url, paired: known }) => [name, url, known === null ? 'no' : `as ${known}`]))
    if (buses.some(({ paired: known }) => known === null)) output.note('Pair with one: intent-bus pair <url>')
    return EXIT.done
  }
}

/** A bus by its first address, and as what this user is paired with the bus there: a stranger may name another's address behind its own. */
export function shownBus({ name, urls }: FoundBus, paired: Pick<Paired, 'at'>) {
  const url = urls[0]!
  return { name, url, urls, paired: paired.at(url)?.name ?? null }
}
