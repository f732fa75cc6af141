import { statSync } from 'node:fs'
import { isDamage, openAside, SCHEMA_VERSION, versionOf, type Connection } from '../bus/store/database.ts'

/** Why a database is not good, as half a sentence; `isDamaged` where its file is, and not who may read it. */
export interface Flaw {
  readonly text: string
  readonly isDamaged: boolean
}

/** Reads a whole database of ours, of this version or an older one; undefined when it is good. One second for a million intents. */
export function findFlaw(path: string): Flaw | undefined {
  return emptiness(path) ?? flawWithin(path)
}

/** What is wrong with an empty file, which SQLite takes for a new database: ours is never empty. */
export function emptiness(path: string): Flaw | undefined {
  return statSync(path, { throwIfNoEntry: false })?.size === 0 ? { text: 'its file is empty', isDamaged: true } : undefined
}

function flawWithin(path: string): Flaw | undefined {
  let db: Connection | undefined
  try {
    db = openAside(path)
    const flaw = foreignFlaw(db) ?? structuralFlaw(db)
    return flaw ?? missingTable(db)
  } catch (error) {
    return { text: (error as Error).message, isDamaged: isDamage(error) }
  } finally {
    db?.close()
  }
}

/** What a database is not that ours must be. */
function foreignFlaw(db: Connection): Flaw | undefined {
  const version = versionOf(db)
  if (version === undefined) return { text: 'it is not a database of Intent Bus Desktop', isDamaged: false }
  return version > SCHEMA_VERSION ? { text: 'a newer version of Intent Bus Desktop wrote it', isDamaged: false } : undefined
}

/** A table that is gone with its page of the schema is no flaw of the file, but nothing of ours can be read without it. */
function missingTable(db: Connection): Flaw | undefined {
  const hasIntents = db.prepare(`SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'intents'`).get() !== undefined
  return hasIntents ? undefined : { text: 'its table of intents is gone', isDamaged: true }
}

/** What SQLite finds wrong with the file itself. Throws when it cannot even look. */
export function structuralFlaw(db: Connection): Flaw | undefined {
  const found = db.pragma('quick_check(1)', { simple: true }) as string
  return found === 'ok' ? undefined : { text: found.split('\n').at(-1)!, isDamaged: true }
}
