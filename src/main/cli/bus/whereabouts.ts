import { knownAddresses } from '../../client/paired-buses.ts'
import { Roaming } from '../../client/roaming.ts'
import type { Arguments } from '../arguments/arguments.ts'
import { findBuses } from '../discovery/find.ts'
import type { Output } from '../terminal/output.ts'
import { givenAddress, type Address } from './address.ts'
import type { NamedBus, Paired } from './paired.ts'
import { lookAt } from './peer.ts'
import { givenTrust } from './trust.ts'

/** Seconds of the questions by multicast DNS: most answers come at once. */
const ROUNDS = [1, 2]
/** Milliseconds in which whoever answers at an address shows its key, or is not known. */
const LOOK_MS = 3_000

type Environment = Readonly<Record<string, string | undefined>>

interface Surroundings {
  readonly paired: Paired
  readonly output: Output
  readonly signal: AbortSignal
}

/** Follows a paired bus to the addresses that it is known by, or announces, and remembers where it was found. */
export function roamingTo(bus: NamedBus, url: string, { paired, output, signal }: Surroundings): Roaming {
  const onMove = (at: string): void => {
    output.note(`${bus.name} is at ${at} now, by its pin.`)
    remember(() => paired.note(bus, at, { reached: true }), output)
  }
  return new Roaming({ url, pin: bus.pin, candidates: () => candidatesFor(bus, signal), onMove })
}

async function* candidatesFor({ name, pin }: NamedBus, signal: AbortSignal): AsyncGenerator<readonly string[]> {
  yield knownAddresses(name, pin)
  for (const seconds of ROUNDS) yield (await findBuses(seconds, signal)).flatMap(({ urls }) => urls)
}

/**
 * The address that the user gave, where it is none that a paired bus is known by, but shows the key of one: that one is known
 * there from now on. undefined where nothing needs to be looked at, and for strangers. Throws UsageError.
 */
export async function recognise(args: Arguments, env: Environment, { paired, output, signal }: Surroundings): Promise<Address | undefined> {
  if (args.text('bus') !== undefined || givenTrust(args) !== undefined) return undefined
  const address = givenAddress(args, env, paired)
  const isStrange = address !== undefined && address.paired === undefined && address.url.startsWith('https:')
  if (!isStrange || paired.all.length === 0) return undefined
  const bus = (await pairedAt([address.url], paired, signal))?.paired
  if (bus == null) return undefined
  remember(() => paired.note(bus, address.url, { reached: false }), output)
  return { ...address, paired: bus }
}

/** Which of these addresses is the first that answers, and the paired bus by its key there, or null; undefined where none answers. */
export async function pairedAt(
  urls: readonly string[],
  { all }: Pick<Paired, 'all'>,
  signal: AbortSignal
): Promise<{ readonly url: string; readonly paired: NamedBus | null } | undefined> {
  const patience = AbortSignal.any([signal, AbortSignal.timeout(LOOK_MS)])
  const pins = await Promise.all(urls.map((url) => lookAt(url, undefined, patience).then(({ pin }) => pin, () => undefined)))
  signal.throwIfAborted()
  const first = pins.findIndex((pin) => pin !== undefined)
  return first < 0 ? undefined : { url: urls[first]!, paired: all.find(({ pin }) => pin === pins[first]) ?? null }
}

/** What cannot be written down is found again the next time. */
function remember(write: () => void, output: Output): void {
  try {
    write()
  } catch (error) {
    output.warn(`The address could not be kept: ${(error as Error).message}`)
  }
}
