import { parseJson, prettyJson, type JsonNode } from '../../lib/json/parse.ts'
import { downloadLine, shellSetup, shellWord } from '../../lib/text/commands.ts'
import { CLIENT_FILE, ROOT_FILE, type BusPlace } from '../../lib/text/places.ts'
import { literal, pythonKey, shellKey, type KeySource } from '../../lib/text/programs.ts'
import { bodyMembers } from '../../lib/text/publish-body.ts'
import { publicationBody } from './body.ts'
import type { Publication } from './draft.ts'

/** Programs that publish the same intent. The JSON stands in them as text, so that every number keeps its digits. */

export interface SnippetOptions {
  readonly publication: Publication
  /** Empty for none. */
  readonly idempotencyKey: string
  /** Where it runs. By a pin only curl and the client know a bus; the others need the root certificate beside them. */
  readonly place: BusPlace
  readonly key: KeySource
}

/** Lines for a POSIX shell. */
export function curlSnippet({ publication, idempotencyKey, place, key }: SnippetOptions): string {
  const headers = ['Content-Type: application/json', ...(idempotencyKey === '' ? [] : [`Idempotency-Key: ${idempotencyKey}`])]
  return `${shellSetup(place, shellKey(key))}
bus "$URL/intent" \\
${headers.map((header) => `  -H ${shellWord(header)} \\\n`).join('')}  -d ${shellWord(publicationBody(publication))}`
}

/** Lines that bring, from a bus that is known by its pin, what the programs below know it by. */
export function preparationLines(url: string, pin: string): string {
  return `${[ROOT_FILE, CLIENT_FILE].map((file) => downloadLine(url, pin, file)).join('\n')}\nnpm install ./${CLIENT_FILE}`
}

/** Python's standard library. */
export function pythonSnippet({ publication, idempotencyKey, place: { url, pin }, key }: SnippetOptions): string {
  const keyCode = pythonKey(key)
  const [trust, context] = pin === null ? ['', ''] : [`trust = ssl.create_default_context(cafile=${literal(ROOT_FILE)})\n`, ', context=trust']
  return `${keyCode.startsWith('os.') ? 'import os\n' : ''}${pin === null ? '' : 'import ssl\n'}from urllib.request import Request, urlopen

URL = ${literal(url)}
KEY = ${keyCode}
INTENT = ${pythonText(prettyJson(publicationBody(publication)))}

headers = {
    "X-API-KEY": KEY,
    "Content-Type": "application/json",
${idempotencyKey === '' ? '' : `    "Idempotency-Key": ${literal(idempotencyKey)},\n`}}
${trust}with urlopen(Request(URL + "/intent", INTENT.encode(), headers), timeout=30${context}) as answer:
    print(answer.read().decode())`
}

/** The protocol's Python SDK. */
export function sdkSnippet({ publication, idempotencyKey, place: { url, pin }, key }: SnippetOptions): string {
  const keyCode = pythonKey(key)
  const members = bodyMembers(publication).map(({ name, json }) => `    ${name}=${pythonValue(parseJson(json)!, 1)},\n`)
  const last = idempotencyKey === '' ? '' : `    idempotency_key=${literal(idempotencyKey)},\n`
  // urllib and requests, either of which may carry it, look there for authorities.
  const trust = pin === null ? '' : `os.environ["SSL_CERT_FILE"] = os.environ["REQUESTS_CA_BUNDLE"] = ${literal(ROOT_FILE)}\n`
  return `# Python: pip install intent-bus
${trust !== '' || keyCode.startsWith('os.') ? 'import os\n' : ''}from intent_bus import IntentClient

${trust}client = IntentClient(
    base_url=${literal(url)},
    api_key=${keyCode},
)
print(client.publish(
${members.join('')}${last}))`
}

/** TypeScript with what Node.js brings along, and for pins with the bus's own client. */
export function typescriptSnippet({ publication, idempotencyKey, place: { url, pin }, key }: SnippetOptions): string {
  const imports = [
    ...(readsFile(key) ? ["import { readFileSync } from 'node:fs'"] : []),
    ...(pin === null ? [] : ["import { tlsFetch } from 'intent-bus-client'"])
  ]
  const head = imports.length === 0 ? '' : `${imports.join('\n')}\n\n`
  const trust = pin === null ? '' : `const fetch = tlsFetch({ pin: ${literal(pin)} })\n`
  return `${head}${trust}const url = ${literal(url)}
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
