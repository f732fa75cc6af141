import { readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { IntentBusError } from '../../shared/client/index.ts'
import type { KeyLimits } from '../../shared/scope.ts'

/** A bus that this user's programs on this machine are paired with: where it is, how it is known, and the key it gave. */
export interface PairedBus {
  readonly url: string
  /** All addresses that it gave. */
  readonly urls: readonly string[]
  /** Of its public key, as curl's --pinnedpubkey has it. */
  readonly pin: string
  /** Its root certificate in PEM. */
  readonly ca: string
  readonly key: string
  /** Public id of the key. */
  readonly keyId: string
  readonly limits: KeyLimits
  /** Unix seconds. */
  readonly pairedAt: number
}

/** Them by the names that this user gave them. */
export type PairedBuses = Readonly<Record<string, PairedBus>>

/** Where `intent-bus pair` writes them. */
export function pairedBusesFile(): string {
  return join(homedir(), '.intent-bus', 'buses.json')
}

/** All that this user has paired with; none where there is no file. Throws IntentBusError for a file that cannot be used. */
export function readPairedBuses(): PairedBuses {
  const file = pairedBusesFile()
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {}
    throw unusable(file, error)
  }
  let buses: PairedBuses | undefined
  try {
    buses = (JSON.parse(text) as { readonly buses?: PairedBuses } | null)?.buses
  } catch (error) {
    throw unusable(file, error)
  }
  const isWhole = typeof buses === 'object' && buses !== null && Object.values(buses).every(isPairedBus)
  if (isWhole) return buses!
  throw unusable(file, new Error('something is missing in it'))
}

/** The bus of that name. Throws IntentBusError where there is none. */
export function findPairedBus(name: string): PairedBus {
  const buses = readPairedBuses()
  if (Object.hasOwn(buses, name)) return buses[name]!
  throw new IntentBusError(`This machine is paired with no bus called ${name}: intent-bus pair makes that.`, { code: 'not_paired' })
}

/** All addresses at which a bus may be, that of last time first, as is known by now; none where it has another pin there. Throws as above. */
export function knownAddresses(name: string, pin: string): readonly string[] {
  const bus = findPairedBus(name)
  return bus.pin === pin ? [bus.url, ...bus.urls] : []
}

/** What would otherwise fail far from here, or send a key to the wrong place. */
function isPairedBus(bus: Partial<PairedBus> | null): boolean {
  const { url, urls, pin, ca, key, keyId, limits } = bus ?? {}
  const isAddressed = Array.isArray(urls) && [url, ...urls].every((address) => typeof address === 'string' && URL.canParse(address))
  return isAddressed && [pin, ca, key, keyId].every((text) => typeof text === 'string') && typeof limits === 'object' && limits !== null
}

function unusable(file: string, cause: unknown): IntentBusError {
  return new IntentBusError(`The file ${file} cannot be used: ${(cause as Error).message}.`, { code: 'unusable_file', cause })
}
