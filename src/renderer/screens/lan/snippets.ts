import type { IdentityView } from '../../../shared/control/network-views.ts'
import { busFunction, downloadLine, shellSetup, shellWord } from '../../lib/text/commands.ts'
import { CLIENT_FILE, ROOT_FILE } from '../../lib/text/places.ts'
import { literal } from '../../lib/text/programs.ts'

/** Lines by which another machine talks to a shared bus. A key is pasted into them there; none is ever written here. */

const PLACEHOLDER = 'paste a key here'
const INTENT = '{"goal":"greet","payload":{"name":"Ada"},"visibility":"public"}'

export interface Snippet {
  readonly id: string
  readonly label: string
  readonly code: string
}

/**
 * Fetches the command line from this bus, by its pin or from nobody, installs it, and pairs. `command`: the line that pairs.
 */
export function firstTimeLines(url: string, pin: string, command: string): string {
  return `${downloadLine(url, pin, CLIENT_FILE)}
npm install --global ./${CLIENT_FILE}
${command}`
}

/** `url`: the bus's address for other machines; `pin`: as curl takes it; `rootPem`: the root certificate. */
export function networkSnippets(url: string, { pin, rootPem }: Pick<IdentityView, 'pin' | 'rootPem'>): Snippet[] {
  const pinned = shellSetup({ url, pin }, shellWord(PLACEHOLDER))
  const rooted = `URL=${shellWord(url)}\nKEY=${shellWord(PLACEHOLDER)}\n${busFunction(`--cacert ${ROOT_FILE}`)}`
  const publish = `bus "$URL/intent" \\\n  -d ${shellWord(INTENT)}`
  return [
    {
      id: 'curl-pin',
      label: 'curl, pin',
      code: `${pinned}\n${publish}`
    },
    {
      id: 'curl-root',
      label: 'curl, root',
      code: `${downloadLine(url, pin, ROOT_FILE)}\n${rooted}\n${publish}`
    },
    { id: 'python', label: 'Python', code: pythonSnippet(url, rootPem) },
    { id: 'typescript', label: 'TypeScript', code: typescriptSnippet(url, pin) },
    { id: 'bash', label: 'bash worker', code: `${pinned}\n${BASH_WORKER}` }
  ]
}

/** Python knows no pins, but takes the root as a text: nothing has to lie beside the program. */
function pythonSnippet(url: string, rootPem: string): string {
  return `import ssl
from urllib.request import Request, urlopen

URL = ${literal(url)}
KEY = ${literal(PLACEHOLDER)}
INTENT = b'${INTENT}'
ROOT = """
${rootPem.trim()}
"""

trust = ssl.create_default_context(cadata=ROOT)
headers = {"X-API-KEY": KEY, "Content-Type": "application/json"}
with urlopen(Request(URL + "/intent", INTENT, headers), timeout=30, context=trust) as answer:
    print(answer.read().decode())`
}

function typescriptSnippet(url: string, pin: string): string {
  return `import { IntentClient } from 'intent-bus-client'

const bus = new IntentClient({
  baseUrl: ${literal(url)},
  apiKey: ${literal(PLACEHOLDER)},
  tls: { pin: ${literal(pin)} }
})
console.log(await bus.publish('greet', { name: 'Ada' }, { visibility: 'public' }))`
}

/** Claims one intent, if there is one within half a minute, and settles it. */
const BASH_WORKER = `CLAIMED="$(bus -X POST "$URL/claim?goal=greet&wait=30")"
ID="$(echo "$CLAIMED" | sed 's/.*"id":"\\([^"]*\\)".*/\\1/')"
TOKEN="$(echo "$CLAIMED" | sed 's/.*"claim_token":"\\([^"]*\\)".*/\\1/')"
[ -n "$CLAIMED" ] && bus "$URL/fulfill/$ID" -d '{"claim_token":"'"$TOKEN"'","result":{"said":"Hello"}}'`
