import { execFileSync } from 'node:child_process'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { claimLines, fulfilLine, setupLines } from '../../src/renderer/lib/text/commands.ts'
import { claimCommand, publishCommand, readCommand } from '../../src/renderer/screens/intents/detail/commands.ts'
import { keySnippets } from '../../src/renderer/screens/keys/keys.ts'
import { networkSnippets } from '../../src/renderer/screens/lan/snippets.ts'
import { blankDraft, publicationOf } from '../../src/renderer/screens/publish/draft.ts'
import { curlSnippet } from '../../src/renderer/screens/publish/snippets.ts'
import type { IntentView } from '../../src/shared/control/intent-views.ts'
import type { BusStatus } from '../../src/shared/control/status-views.ts'
import { temporaryFolder } from '../support/folders.ts'

/** A key on a command line is seen by every user of the machine: no line of the interface puts one there. */

const SECRET = 'tk_very-secret'
const PIN = 'sha256//abc='
const folder = temporaryFolder()
const here = { url: 'http://127.0.0.1:7610', pin: null }
const away = { url: 'https://192.168.1.20:7611', pin: PIN }
const status = { listener: null, mainKey: { in: 'environment', where: 'BUS_SECRET' } } as BusStatus
const intent = { id: 'f'.repeat(32), goal: 'greet', payload: '{}', namespace: 'default', visibility: 'private', publisher: 'main', history: [], target: null, capability: null, createdAt: 0, expiresAt: 86_400 } as unknown as IntentView
const publish = { publication: publicationOf({ ...blankDraft(), goal: 'greet' }), idempotencyKey: 'once', key: SECRET }

beforeAll(() => {
  // Notes its arguments, its standard input where a header is read from there, and answers a claim.
  const curl = `#!/bin/sh
printf '%s\\n' "$@" >> args
case " $* " in *' @- '*) cat >> input ;; esac
echo '{"id":"1","claim_token":"t"}'
`
  writeFileSync(join(folder.path, 'curl'), curl, { mode: 0o755 })
})
afterAll(() => folder[Symbol.dispose]())

const LINES: readonly (readonly [string, string])[] = [
  ['publish, here', curlSnippet({ ...publish, place: here })],
  ['publish, elsewhere', curlSnippet({ ...publish, place: away })],
  ...[here, away].flatMap((place) => keySnippets(place, SECRET).map(({ id, code }) => [`key, ${id}, ${place.url}`, code] as const)),
  ...networkSnippets(away.url, { pin: PIN, rootPem: '' })
    .filter(({ id }) => id.startsWith('curl') || id === 'bash')
    .map(({ id, code }) => [`network, ${id}`, code.replace("'paste a key here'", SECRET)] as const),
  ['first steps', [setupLines(status), claimLines('greet'), fulfilLine('{}')].join('\n')],
  ['detail, publish', publishCommand(intent, status, (id) => id)],
  ['detail, status', readCommand('status', intent.id, status)],
  ['detail, claim', claimCommand(intent, status, (id) => id)]
]

test.each(LINES)('%s', (_name, code) => {
  for (const name of ['args', 'input']) rmSync(join(folder.path, name), { force: true })
  execFileSync('sh', ['-c', code], { cwd: folder.path, env: { PATH: `${folder.path}:${process.env.PATH}`, BUS_SECRET: SECRET } })
  expect(readFileSync(join(folder.path, 'args'), 'utf8')).not.toContain(SECRET)
  expect(readFileSync(join(folder.path, 'input'), 'utf8')).toContain(`X-API-KEY: ${SECRET}\n`)
})
