import type { IntentView } from '../../../../shared/control/intent-views.ts'
import type { BusStatus } from '../../../../shared/control/status-views.ts'
import { pasteableJson, setupLines, shellSetup, shellWord } from '../../../lib/text/commands.ts'
import { herePlace } from '../../../lib/text/places.ts'
import type { KeyNames } from './names.ts'
import { publishBody } from './publication.ts'

/** Lines for a shell that publish the same intent again. Only its publisher's key makes it that publisher's. */
export function publishCommand(intent: IntentView, status: BusStatus, nameOf: KeyNames): string {
  return `${setupFor(intent.publisher, status, nameOf)}\nbus "$URL/intent" -d ${shellWord(pasteableJson(publishBody(intent)))}`
}

/** Lines for a shell that ask for an intent's status or result (SPEC 7.7, 7.8). The main key reads all. */
export function readCommand(what: 'status' | 'result', id: string, status: BusStatus): string {
  return `${setupLines(status)}\nbus "$URL/${what}/${id}"`
}

/** Lines for a shell that claim as a worker must that may have this intent (SPEC 7.3). */
export function claimCommand(intent: IntentView, status: BusStatus, nameOf: KeyNames): string {
  const { goal, namespace, visibility, publisher, target, capability } = intent
  const query = new URLSearchParams({ goal, namespace, wait: '30' })
  const setup = visibility === 'private' ? setupFor(publisher, status, nameOf) : setupLines(status)
  const parts = [
    `bus -X POST "$URL/claim?${query}"`,
    ...(target === null ? [] : [`-H ${shellWord(`X-Worker-ID: ${target}`)}`]),
    ...(capability === null ? [] : [`-H ${shellWord(`X-Worker-Capabilities: ${capability}`)}`])
  ]
  return `${setup}\n${parts.join(' \\\n  ')}`
}

/** Only the main key can be read by a command: of others there is nothing but a digest. */
function setupFor(key: string, status: BusStatus, nameOf: KeyNames): string {
  if (key === 'main') return setupLines(status)
  return shellSetup(herePlace(status), shellWord(`paste the key of ${nameOf(key)} here`))
}
