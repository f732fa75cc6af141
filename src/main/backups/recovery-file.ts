import { readFileSync, rmSync } from 'node:fs'
import { dirname } from 'node:path'
import { z } from 'zod'
import { syncDirectory, writeFileAtomically } from '../files.ts'

/** What a restore did, for people and for a start that goes on after a crash. */
const report = z.object({
  /** Unix seconds. */
  at: z.number(),
  /** What was restored; null where there was no backup, or none was wanted. */
  backup: z.object({ id: z.string(), at: z.number() }).nullable(),
  /** The backup of what was there before. */
  safety: z.string().nullable(),
  /** Where the damaged database is now, and where only its log is kept. */
  aside: z.string().nullable(),
  asideLog: z.string().nullable(),
  /** What is different from before; null where what was before could not be read. */
  losses: z.object({ gone: z.number(), reopened: z.number(), keysGone: z.number(), keysBack: z.number(), keysKept: z.number().default(0) }).nullable()
})

const stateOfRecovery = z.discriminatedUnion('state', [
  z.object({
    state: z.literal('wanted'),
    /** When it was asked for, in Unix seconds: the bus closes at once, so that the database is not written to much later. */
    at: z.number(),
    what: z.enum(['backup', 'newest', 'empty', 'readable']),
    /** For `backup`. */
    id: z.string().nullable(),
    /** Who wants it, as the audit trail calls it. */
    by: z.object({ actor: z.string(), address: z.string() })
  }),
  /** What is to take the place of the database lies beside it, and what was there can be moved away. */
  z.object({ state: z.literal('ready'), report, by: z.object({ actor: z.string(), address: z.string() }) }),
  z.object({ state: z.literal('done'), report })
])

export type RecoveryReport = z.output<typeof report>
export type RecoveryState = z.output<typeof stateOfRecovery>
export type WantedRecovery = Extract<RecoveryState, { state: 'wanted' }>

/**
 * The mark of a restore that is to be carried out at the next start, how far it is, and at last what it did. It is on disk before
 * anything else changes, so that a crash in between leaves what the next start can finish.
 */
export class RecoveryFile {
  readonly #path: string

  constructor(path: string) {
    this.#path = path
  }

  /** undefined when nothing was ever restored; what cannot be read counts as that, and is left. */
  read(): RecoveryState | undefined {
    try {
      return stateOfRecovery.parse(JSON.parse(readFileSync(this.#path, 'utf8')))
    } catch {
      return undefined
    }
  }

  /** Throws 503 `storage_unavailable` where the disk does not take it. */
  write(state: RecoveryState): void {
    writeFileAtomically(this.#path, `${JSON.stringify(state)}\n`)
  }

  remove(): void {
    rmSync(this.#path, { force: true })
    syncDirectory(dirname(this.#path))
  }
}
