import { chmodSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { IntentBusError, pairedBusesFile, readPairedBuses, type PairedBus, type PairedBuses } from '../../client/index.ts'
import { CommandError, EXIT, UsageError } from '../exit.ts'
import { isOpenToOthers } from './secret-file.ts'

/** A paired bus, and what this user calls it. */
export interface NamedBus extends PairedBus {
  readonly name: string
}

const NAME = /^[a-z0-9][a-z0-9._-]{0,62}$/

/** Addresses of one bus that are kept: of many only the newest may still be its own. */
const MAX_URLS = 16

/** The buses that this user is paired with, in a file that only this user can read. */
export class Paired {
  #buses: PairedBuses | undefined
  readonly #warn: (sentence: string) => void

  constructor(warn: (sentence: string) => void) {
    this.#warn = warn
  }

  /** In the order of their names. Throws CommandError for a file that cannot be used. */
  get all(): readonly NamedBus[] {
    return Object.entries(this.#read())
      .map(([name, bus]) => ({ name, ...bus }))
      .sort((a, b) => (a.name < b.name ? -1 : 1))
  }

  /** The bus of that name. Throws CommandError where there is none. */
  find(name: string): NamedBus {
    const found = this.all.find((bus) => bus.name === name)
    if (found !== undefined) return found
    const names = this.all.map((bus) => bus.name).join(', ')
    const cure = names === '' ? 'This machine is paired with none: `intent-bus pair <address>` does that.' : `There are ${names}.`
    throw new CommandError(EXIT.nothing, `This machine is paired with no bus called ${name}.`, cure)
  }

  /**
   * The bus that is known to be at an address; undefined where that is none, or where several say that it is theirs: a bus can
   * name any address as its own.
   */
  at(url: string): NamedBus | undefined {
    const { origin } = new URL(url)
    const isThere = (other: string): boolean => new URL(other).origin === origin
    const [reached, ...others] = this.all.filter((bus) => isThere(bus.url))
    if (reached !== undefined) return others.length === 0 ? reached : undefined
    const [said, ...more] = this.all.filter((bus) => bus.urls.some(isThere))
    return more.length === 0 ? said : undefined
  }

  /** Keeps a bus in place of one of the same name, and its root certificate in a file beside; on disk when it returns. */
  save({ name, ...bus }: NamedBus): void {
    this.#write({ ...this.#read(), [name]: bus })
    writeFileSync(certificateFile(name), bus.ca)
  }

  /** Notes an address at which a bus has shown its key: from now on it is `reached` there first, or only known there. */
  note({ name, pin }: NamedBus, url: string, { reached }: { readonly reached: boolean }): void {
    // Another command may have paired or forgotten meanwhile.
    this.#buses = undefined
    const bus = this.#read()[name]
    if (bus?.pin !== pin) return
    const urls = [...new Set([url, bus.url, ...bus.urls])].slice(0, MAX_URLS)
    this.#write({ ...this.#read(), [name]: { ...bus, url: reached ? url : bus.url, urls } })
  }

  /** Throws CommandError where there is none of that name. */
  forget(name: string): void {
    this.find(name)
    const { [name]: _, ...others } = this.#read()
    this.#write(others)
    rmSync(certificateFile(name), { force: true })
  }

  #read(): PairedBuses {
    if (this.#buses !== undefined) return this.#buses
    try {
      this.#buses = readPairedBuses()
    } catch (error) {
      if (!(error instanceof IntentBusError)) throw error
      throw new CommandError(EXIT.refused, error.message, 'Mend it, or remove it and pair again.')
    }
    const file = pairedBusesFile()
    if (Object.keys(this.#buses).length > 0 && isOpenToOthers(file)) {
      this.#warn(`other users of this machine can read ${file}; run chmod 600 on it.`)
    }
    return this.#buses
  }

  /** A crash leaves the old file or the new one. */
  #write(buses: PairedBuses): void {
    const file = pairedBusesFile()
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
    const fresh = `${file}.${process.pid}.new`
    writeFileSync(fresh, `${JSON.stringify({ version: 1, buses }, null, 2)}\n`, { mode: 0o600, flush: true })
    // A file that was left behind keeps its mode.
    chmodSync(fresh, 0o600)
    renameSync(fresh, file)
    this.#buses = buses
  }
}

/** Where the root certificate of a paired bus lies, for programs that take a file. */
export function certificateFile(name: string): string {
  return join(dirname(pairedBusesFile()), `${name}.pem`)
}

/** Throws UsageError for a name that no paired bus can have. */
export function checkName(name: string): string {
  if (NAME.test(name)) return name
  throw new UsageError(`"${name}" cannot be the name of a bus here: that is of lower-case letters, digits, dots and dashes.`)
}

/** What a bus calls itself, as a name here. */
export function nameFrom(busName: string): string {
  const name = busName.toLowerCase().replace(/[^a-z0-9._-]+/g, '-').replace(/^[._-]+/, '').slice(0, 48)
  return name.replace(/-+$/, '') || 'bus'
}
