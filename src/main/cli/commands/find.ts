import type { Action } from '../command.ts'
import type { Paired } from '../bus/paired.ts'
import { pairedAt } from '../bus/whereabouts.ts'
import { findBuses, type FoundBus } from '../discovery/find.ts'
import { CommandError, EXIT } from '../exit.ts'

const DEFAULT_TIMEOUT = 3
const TIMEOUT = { min: 0.5, max: 60 } as const

export const find: Action = {
  name: 'find',
  summary: 'find the buses that announce themselves on the network',
  usage: '',
  arity: { min: 0, max: 0 },
  asksNoBus: true,
  options: [{ name: 'timeout', value: 'seconds', summary: `look for so long (${DEFAULT_TIMEOUT})` }],
  details: `
    It asks by multicast DNS. What is found has only said that it is a bus: pairing proves it. One that this machine is paired
    with is known by its key, also at a new address, where commands then find it by themselves. A bus that does not announce
    itself is paired with by its address.`,

  async run({ args, output, paired, signals }) {
    const seconds = args.seconds('timeout', TIMEOUT) ?? DEFAULT_TIMEOUT
    const found = await findBuses(seconds, signals.signal).catch((error: NodeJS.ErrnoException) => {
      signals.signal.throwIfAborted()
      const problem = `The network cannot be asked (${error.code ?? error.message}).`
      const cure = 'Another program may keep port 5353 of UDP to itself; `intent-bus pair <address>` does without.'
      throw new CommandError(EXIT.unreachable, problem, cure)
    })
    const buses = await Promise.all(found.map((bus) => shownBus(bus, paired, signals.signal)))
    if (output.isJson) await output.json(buses)
    if (buses.length === 0) {
      output.note('No bus has announced itself: it may not be shared, or the network lets no multicast through.')
      return EXIT.nothing
    }
    if (output.isJson) return EXIT.done
    const columns = [{ title: 'NAME', shrinksTo: 10 }, { title: 'URL' }, { title: 'PAIRED' }] as const
    await output.table(columns, buses.map((bus) => [bus.name, bus.url, pairedText(bus)]))
    if (buses.some(({ paired: known, isReached }) => known === null && isReached)) output.note('Pair with one: intent-bus pair <url>')
    return EXIT.done
  }
}

/** A bus by the first of its addresses that answers, and as what this user is paired with the one that shows its key there. */
export async function shownBus({ name, urls }: FoundBus, paired: Pick<Paired, 'all'>, signal: AbortSignal) {
  const seen = await pairedAt(urls, paired, signal)
  const bus = seen?.paired ?? null
  const url = seen?.url ?? urls[0]!
  const isNew = bus !== null && ![bus.url, ...bus.urls].includes(url)
  return { name, url, urls, paired: bus?.name ?? null, isReached: seen !== undefined, isNewAddress: isNew }
}

function pairedText({ paired, isReached, isNewAddress }: Awaited<ReturnType<typeof shownBus>>): string {
  if (!isReached) return 'it does not answer'
  if (paired === null) return 'no'
  return isNewAddress ? `as ${paired} (new address)` : `as ${paired}`
}
