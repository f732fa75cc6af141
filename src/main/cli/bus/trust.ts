import { readFileSync } from 'node:fs'
import { tlsFetch, type TlsOptions } from '../../client/index.ts'
import type { Arguments } from '../arguments/arguments.ts'
import { UsageError } from '../exit.ts'
import type { Address } from './address.ts'

type Environment = Readonly<Record<string, string | undefined>>

/** By what the bus at an address is known, where that is not the system's authorities. Throws UsageError. */
export function findTrust(args: Arguments, env: Environment, { url, paired }: Address): TlsOptions | undefined {
  const isSecure = url.startsWith('https:')
  const given = givenTrust(args)
  if (given !== undefined && !isSecure) throw new UsageError(`--pin and --ca are for addresses with https, which ${url} is not.`)
  if (given !== undefined && paired !== undefined) {
    const cure = `Leave --pin and --ca out; where its identity was replaced, run intent-bus buses forget ${paired.name}, and pair again.`
    throw new UsageError(`The bus at ${url} is paired, as ${paired.name}: it is known by its own pin.`, cure)
  }
  // The pin is the bus's whatever its certificate says: its addresses, names and clock may change.
  if (paired !== undefined) return { pin: paired.pin }
  if (given !== undefined) return given
  const pin = env.INTENT_BUS_PIN?.trim()
  const ca = env.INTENT_BUS_CA?.trim()
  return isSecure && (pin || ca) ? { ...(pin && { pin }), ...(ca && { ca: readCertificates(ca, 'INTENT_BUS_CA') }) } : undefined
}

/** What --pin and --ca say; undefined where neither is given. Throws UsageError. */
export function givenTrust(args: Arguments): TlsOptions | undefined {
  const pin = args.text('pin')
  const ca = args.text('ca')
  if (pin === undefined && ca === undefined) return undefined
  return { ...(pin !== undefined && { pin }), ...(ca !== undefined && { ca: readCertificates(ca, '--ca') }) }
}

/** What carries requests to a bus that is known by this. Throws UsageError for a pin that is none. */
export function fetchWith(trust: TlsOptions | undefined): typeof fetch {
  if (trust === undefined) return fetch
  try {
    return tlsFetch(trust)
  } catch (error) {
    throw new UsageError((error as Error).message)
  }
}

function readCertificates(path: string, from: string): string {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    throw new UsageError(`The file ${path}, which ${from} names, cannot be read (${code ?? message}).`)
  }
  if (text.includes('-----BEGIN CERTIFICATE-----')) return text
  throw new UsageError(`The file ${path}, which ${from} names, holds no certificate in PEM.`)
}
