import { parseJson, prettyJson, type JsonNode } from '../../lib/json/parse.ts'
import { shellWord } from '../../lib/text/commands.ts'
import { literal, pythonKey, shellSetup, type KeySource } from '../../lib/text/programs.ts'
import { bodyMembers } from '../../lib/text/publish-body.ts'
import { publicationBody } from './body.ts'
import type { Publication } from './draft.ts'

/** Programs that publish the same intent. The JSON stands in them as text, so that every number keeps its digits. */

export interface SnippetOptions {
  readonly publication: Publication
  /** Empty for none. */
  readonly idempotencyKey: string
  readonly url: string
  readonly key: KeySource
}

/** Lines for a POSIX shell. */
export function curlSnippet({ publication, idempotencyKey, url, key }: SnippetOptions): string {
  const headers = ['Content-Type: application/json', ...(idempotencyKey === '' ? [] : [`Idempotency-Key: ${idempotencyKey}`])]
  return `${shellSetup(url, key)}
curl -s "$URL/intent" -H "X-API-KEY: $KEY" \\
${headers.map((header) => `  -H ${shellWord(header)} \\\n`).join('')}  -d ${shellWord(publicationBody(publication))}`
}

/** Python's standard library. */
export function pythonSnippet({ publication, idempotencyKey, url, key }: SnippetOptions): string {
  const keyCode = pythonKey(key)
  return `${keyCode.startsWith('os.') ? 'import os\n' : ''}from urllib.request import Request, urlopen

URL = ${literal(url)}
KEY = ${keyCode}
INTENT = ${pythonText(prettyJson(publicationBody(publication)))}

headers = {
    "X-API-KEY": KEY,
    "Content-Type": "application/json",
${idempotencyKey === '' ? '' : `    "Idempotency-Key": ${literal(idempotencyKey)},\n`}}
with urlopen(Request(URL + "/intent", INTENT.encode(), headers), timeout=30) as answer:
    print(answer.read().decode())`
}

/** The protocol's Python SDK. */
export function sdkSnippet({ publication, idempotencyKey, url, key }: SnippetOptions): string {
  const keyCode = pythonKey(key)
  const members = bodyMembers(publication).map(({ name, json }) => `    ${name}=${pythonValue(parseJson(json)!, 1)},\n`)
  const last = idempotencyKey === '' ? '' : `    idempotency_key=${literal(idempotencyKey)},\n`
  return `# Python: pip install intent-bus
${keyCode.startsWith('os.') ? 'import os\n' : ''}from intent_bus import IntentClient

client = IntentClient(
    base_url=${literal(url)},
    api_key=${keyCode},
)
print(client.publish(
${members.join('')}${last}))`
}

/** TypeScript with what Node.js brings along. */
export function typescriptSnippet({ publication, idempotencyKey, url, key }: SnippetOptions): string {
  return `${readsFile(key) ? "import { readFileSync } from 'node:fs'\n\n" : ''}const url = ${literal(url)}
const key = ${typescriptKey(key)}
const intent = ${typescriptText(prettyJson(publicationBody(publication)))}

const answer = await fetch(url + '/intent', {
  method: 'POST',
  headers: {
    'X-API-KEY': key,
${idempotencyKey === '' ? '' : `    'Idempotency-Key': ${literal(idempotencyKey)},\n`}    'Content-Type': 'application/json'
  },
  body: intent
})
console.log(await answer.text())`
}

/** A raw string where none of its characters ends it: JSON then stands there as it is. */
function pythonText(json: string): string {
  return json.includes("'''") ? literal(json) : `r'''${json}'''`
}

function typescriptText(json: string): string {
  return /`|\$\{/.test(json) ? literal(json) : `String.raw\`${json}\``
}

/** `level`: how deep the line is indented on which the value begins. */
function pythonValue(node: JsonNode, level: number): string {
  if (!('members' in node)) return pythonScalar(node)
  const [start, end] = node.kind === 'object' ? ['{', '}'] : ['[', ']']
  if (node.members.length === 0) return start + end
  const indent = '    '.repeat(level + 1)
  const lines = node.members.map(({ name, value }) => {
    const before = typeof name === 'string' ? `${literal(name)}: ` : ''
    return `${indent}${before}${pythonValue(value, level + 1)},\n`
  })
  return `${start}\n${lines.join('')}${'    '.repeat(level)}${end}`
}

function pythonScalar({ kind, raw }: Extract<JsonNode, { raw: string }>): string {
  if (kind === 'number') return raw
  // Python reads \/ and pairs of \u escapes otherwise than JSON does.
  if (kind === 'string') return literal(JSON.parse(raw) as string)
  return { true: 'True', false: 'False' }[raw] ?? 'None'
}

function readsFile(key: KeySource): boolean {
  return typeof key === 'object' && key?.in === 'file'
}

function typescriptKey(key: KeySource): string {
  if (typeof key === 'string') return literal(key)
  if (key?.in === 'file') return `readFileSync(${literal(key.where)}, 'utf8').trim()`
  if (key?.in === 'environment') return `process.env[${literal(key.where)}]!`
  return literal('paste a key here')
}
