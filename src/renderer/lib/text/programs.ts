import type { SecretView } from '../../../shared/control/views.ts'
import { DEFAULT_NAMESPACE } from '../../../shared/limits.ts'
import { pasteableJson, readSecretWord, shellWord } from './commands.ts'

/** Whole programs, ready to save or paste. They need nothing but what their language brings along; bash needs curl and jq. */

/** A key that stands in the program, or where the program reads the main key; null where no program can. */
export type KeySource = string | SecretView | null

export interface ProgramOptions {
  readonly url: string
  readonly key: KeySource
  readonly goal: string
  readonly namespace: string
}

const PLACEHOLDER = 'paste a key here'

/** Sets URL and KEY in a shell. */
export function shellSetup(url: string, key: KeySource): string {
  return `URL=${shellWord(url)}\nKEY=${shellKey(key)}`
}

/** A worker that claims one intent after the other, and waits at the bus while there is none. */
export function bashWorker({ url, key, goal, namespace }: ProgramOptions): string {
  return `${shellSetup(url, key)}

# The work: the payload comes in, the result goes out, both as JSON.
work() { jq '{received: .}'; }

while true; do
  CLAIMED="$(curl -sf -X POST "$URL/claim?${claimQuery(goal, namespace)}" \\
    -H "X-API-KEY: $KEY" -H "X-Worker-ID: $(hostname)")"
  [ -n "$CLAIMED" ] || { sleep 1; continue; }
  ID="$(jq -r .id <<< "$CLAIMED")"
  TOKEN="$(jq -r .claim_token <<< "$CLAIMED")"
  if RESULT="$(jq .payload <<< "$CLAIMED" | work)"; then
    curl -s "$URL/fulfill/$ID" -H "X-API-KEY: $KEY" \\
      -d "{\\"claim_token\\":\\"$TOKEN\\",\\"result\\":$RESULT}"
  else
    curl -s "$URL/fail/$ID" -H "X-API-KEY: $KEY" \\
      -d "{\\"claim_token\\":\\"$TOKEN\\",\\"error\\":\\"The work failed.\\"}"
  fi
done`
}

export function pythonWorker({ url, key, goal, namespace }: ProgramOptions): string {
  return `import json, ${isInEnvironment(key) ? 'os, ' : ''}socket, time
from urllib.request import Request, urlopen

URL = ${literal(url)}
KEY = ${pythonKey(key)}


def work(payload):
    return {"received": payload}  # the result; an exception fails the intent


def post(path, body=None):
    data = b"" if body is None else json.dumps(body).encode()
    headers = {"X-API-KEY": KEY, "X-Worker-ID": socket.gethostname()}
    with urlopen(Request(URL + path, data, headers), timeout=60) as answer:
        return json.loads(answer.read() or "null")


while True:
    try:
        intent = post("/claim?${claimQuery(goal, namespace)}")
        if intent is None:
            time.sleep(1)
            continue
        settled = {"claim_token": intent["claim_token"]}
        try:
            settled["result"] = work(intent["payload"])
        except Exception as error:
            post(f"/fail/{intent['id']}", settled | {"error": str(error)})
        else:
            post(f"/fulfill/{intent['id']}", settled)
    except OSError as error:  # the bus is away, or refuses
        print(error, flush=True)
        time.sleep(5)`
}

/** Publishes an intent and waits for its result; `key` stands in it. */
export function typescriptPublisher(url: string, key: string, goal: string): string {
  return `const url = ${literal(url)}
const key = ${literal(key)}

async function ask(path: string, body?: object) {
  const method = body === undefined ? 'GET' : 'POST'
  const answer = await fetch(url + path, { method, headers: { 'X-API-KEY': key }, body: JSON.stringify(body) })
  if (!answer.ok) throw new Error(await answer.text())
  return answer.json()
}

const { id } = await ask('/intent', { goal: ${literal(goal)}, payload: { name: 'Ada' } })
let intent
do {
  await new Promise((resolve) => setTimeout(resolve, 2_000))
  intent = await ask(\`/result/\${id}\`)
} while (intent.status === 'open' || intent.status === 'claimed')
console.log(intent.status, intent.result ?? intent.error)`
}

/** `goal=resize&namespace=prod&wait=30`, safe within double quotes of every language here, history expansion of shells included. */
function claimQuery(goal: string, namespace: string): string {
  const encoded = encodeURIComponent(goal).replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`)
  return `goal=${encoded}${namespace === DEFAULT_NAMESPACE ? '' : `&namespace=${namespace}`}&wait=30`
}

function shellKey(key: KeySource): string {
  if (typeof key === 'string') return shellWord(key)
  return readSecretWord(key) ?? shellWord(PLACEHOLDER)
}

export function pythonKey(key: KeySource): string {
  if (typeof key === 'string') return literal(key)
  if (key?.in === 'file') return `open(${literal(key.where)}).read().strip()`
  if (isInEnvironment(key)) return `os.environ[${literal(key.where)}]`
  return literal(PLACEHOLDER)
}

function isInEnvironment(key: KeySource): key is SecretView {
  return typeof key === 'object' && key?.in === 'environment'
}

/** Text as JSON writes it is text in Python and TypeScript, too. */
export function literal(text: string): string {
  return pasteableJson(JSON.stringify(text))
}
