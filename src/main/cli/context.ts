import type { IntentClient } from '../client/index.ts'
import type { Address } from './bus/address.ts'
import type { CredentialSource } from './bus/credentials.ts'
import type { LocalBus } from './bus/local-bus.ts'
import type { Operator } from './bus/operator.ts'
import type { Paired } from './bus/paired.ts'
import type { Arguments } from './arguments/arguments.ts'
import type { Signals } from './signals.ts'
import type { Output } from './terminal/output.ts'

/** Where a bus is, as far as can be told. */
export interface Located extends Address {
  /** Whether it was looked for elsewhere, too, where it cannot be reached. */
  readonly isFollowed: boolean
}

/** What a command works with. */
export interface Context {
  readonly args: Arguments
  readonly output: Output
  readonly env: Readonly<Record<string, string | undefined>>
  readonly stdin: NodeJS.ReadStream
  /** Terminal or not: for what draws on it by itself. */
  readonly stdout: NodeJS.WriteStream
  readonly signals: Signals
  readonly local: LocalBus
  readonly paired: Paired
  /** Throws UsageError for an address that is none. */
  readonly address: Address
  /** The same where the bus is now: a paired one is looked for where it cannot be reached. */
  locate(): Promise<Located>
  /** Where keys and passwords are looked for. */
  credentials(): CredentialSource
  /** A client of the bus. Throws CommandError where there is no key. */
  client(): IntentClient
  /** The operators' side of the bus, until the user's signal or the one given. Throws CommandError without a password or a key. */
  operator(signal?: AbortSignal): Operator
  /** undefined where there is no password, and no key that is known to operate, or where others could read it on its way. */
  maybeOperator(): Operator | undefined
}
