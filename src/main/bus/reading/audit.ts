import type { AuditPage, AuditView } from '../../../shared/control/network-views.ts'
import type { Connection } from '../store/database.ts'

/** The trail behind an entry, or from its end for undefined; newest first. */
export function readAudit(db: Connection, before: number | undefined, limit: number): AuditPage {
  const entries = db
    .prepare('SELECT n, at, event, actor, address, subject, detail FROM audit WHERE n < ? ORDER BY n DESC LIMIT ?')
    .all(before ?? Number.MAX_SAFE_INTEGER, limit + 1) as AuditView[]
  const page = entries.slice(0, limit)
  return { entries: page, next: entries.length > limit ? page.at(-1)!.n : null }
}
