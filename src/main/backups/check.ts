import { isDamage, openAside, SCHEMA_VERSION, versionOf, type Connection } from '../bus/store/database.ts'

/** Why a database is not good, as half a sentence; `isDamaged` where its file is, and not who may read it. */
export interface Flaw {
  readonly text: string
  readonly isDamaged: boolean
}

/** Reads a whole database of ours, of this version or an older one; undefined when it is good. One second for a million intents. */
export function findFlaw(path: string): Flaw | undefined {
  let db: Connection | undefined
  try {
    db = openAside(path)
    const flaw = foreignFlaw(db) ?? structuralFlaw(db)
    // A table that is gone with its page of the schema is no flaw of the file.
    if (flaw === undefined) db.prepare('SELECT count(*) FROM intents').get()
    return flaw
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

/** What SQLite finds wrong with the file itself. Throws when it cannot even look. */
export function structuralFlaw(db: Connection): Flaw | undefined {
  const found = db.pragma('quick_check(1)', { simple: true }) as string
  return found === 'ok' ? undefined : { text: found.split('\n').at(-1)!, isDamaged: true }
}
