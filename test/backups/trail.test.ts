import { writeFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { costText, reportText } from '../../src/main/backups/words.ts'
import type { RecoveryReport } from '../../src/main/backups/recovery-file.ts'
import { auditSentence } from '../../src/renderer/screens/activity/sentences.ts'
import { RESTORED } from '../../src/shared/control/backup-views.ts'
import { temporaryFolder } from '../support/folders.ts'
import { BackedBus, databaseIn } from './rig.ts'

/** What the audit trail keeps of a restore, and how the interface says it. */

const NOTHING: RecoveryReport = { at: 1_790_000_000, backup: null, safety: null, aside: null, asideLog: null, losses: null }

function sentence(subject: string, detail: string): string {
  return auditSentence({ n: 1, at: 0, event: 'backup.restored', actor: '', address: '', subject, detail }, (id) => id)
}

/** The sentence of the newest restore in the trail of a bus. */
async function toldBy(bus: BackedBus): Promise<string> {
  const { entries } = await bus.call('audit.list', {})
  const { subject, detail } = entries.find(({ event }) => event === 'backup.restored')!
  return sentence(subject, detail)
}

test('the trail has what a restore cost, and where what was there before is', { timeout: 60_000 }, async () => {
  using folder = temporaryFolder()
  await using bus = await BackedBus.start(folder.path)
  await bus.publish(2)
  const { id } = await bus.makeBackup()
  await bus.publish(3)
  await bus.call('keys.create', { owner: 'young' })
  await bus.restore(id)
  expect(await toldBy(bus)).toMatch(
    /^The backup of \S+ \S+ UTC was restored[.] 3 intents published since then are gone[.] 1 key made since then is gone[.] What was there before is the backup \S+-restore[.]$/
  )
})

test('a start with an empty database says so, and where the damaged one is', async () => {
  using folder = temporaryFolder()
  writeFileSync(databaseIn(folder.path), 'Dear diary, today I was a database.\n'.repeat(40))
  await using bus = await BackedBus.start(folder.path, ['--start-empty'])
  expect(await toldBy(bus)).toMatch(/^The bus began with an empty database[.] The damaged database is kept as .*[.]db[.]damaged-\S+[.]$/)
})

describe('sentences of a restore', () => {
  test('what could be read of a database is not one that was set aside', () => {
    const report = { ...NOTHING, aside: '/d/i.db.damaged-1', asideLog: '/d/i.db.damaged-1-wal' }
    expect(sentence(RESTORED.readable, costText(report))).toBe(
      'The bus went on with what could be read of its database. Its last changes are gone. The damaged database is kept as /d/i.db.damaged-1.'
    )
    expect(reportText(report)).toMatch(/^The bus went on with what could be read of its database at 2026-09-21 .* UTC[.] Its last changes are gone[.]/)
  })

  test('entries of older versions are said, too', () => {
    expect(sentence('', '/d/i.db.damaged-1')).toBe('The damaged database was set aside. What was there before is /d/i.db.damaged-1.')
    expect(sentence('2026-11-21 19:26 UTC', '')).toBe('The backup of 2026-11-21 19:26 UTC was restored.')
  })
})
