import { execFile, spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { publicationBody } from '../../src/renderer/screens/publish/body.ts'
import { blankDraft, publicationOf, type Draft } from '../../src/renderer/screens/publish/draft.ts'
import { curlSnippet, pythonSnippet, sdkSnippet, typescriptSnippet } from '../../src/renderer/screens/publish/snippets.ts'
import { compactJson } from '../../src/shared/json-text.ts'
import { temporaryFolder } from '../support/folders.ts'

const run = promisify(execFile)
const hasPython = spawnSync('python3', ['--version']).status === 0
const SECRET = "a key's $secret"

const folder = temporaryFolder()
const keyFile = join(folder.path, "it's $HOME `here`")
let server: Server
let url: string
let received: { body: string; headers: IncomingHttpHeaders }[] = []

beforeAll(async () => {
  writeFileSync(keyFile, `${SECRET}\n`)
  server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      received.push({ body: Buffer.concat(chunks).toString(), headers: request.headers })
      response.end('{"id":"1"}')
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})

afterAll(() => {
  server.close()
  folder[Symbol.dispose]()
})

/** What shells, Python and JavaScript read as something else than itself, and numbers that floats do not hold. */
const NASTY = [
  `{"quotes":"it's \\"quoted\\"", "dollar":"$HOME \${HOME} $(id) \`id\`", "bang":"!! !x", "percent":"%s %d"}`,
  `{"lines":"a\\nb\\r\\n\\tc", "slash":"\\/ \\\\ \\\\n \\u0041 \\ud83d\\ude00", "raw":"é 😀 \u2028"}`,
  `{"big":12345678901234567890, "exact":1.10, "tiny":1e-400, "minus":-0.0, "deep":[[{}],[],{"a":null,"b":[true,false]}]}`,
  `{"three":"''' \\"\\"\\"", "tick":"\`\${1}\`", "end":"'"}`,
  `["@file", "-d", "--", ""]`,
  `"'"`
]

function options(payload: string, rest: Partial<Draft> = {}) {
  const draft = { ...blankDraft(), goal: `it's "a" $goal \\ \`x\``, payload, ...rest }
  return { publication: publicationOf(draft), idempotencyKey: draft.idempotencyKey, place: { url, pin: null }, key: { in: 'file', where: keyFile } as const }
}

/** What arrived since the last time. */
function arrived() {
  const [only] = received.splice(0)
  return only!
}

async function write(name: string, code: string): Promise<string> {
  const path = join(folder.path, name)
  writeFileSync(path, code)
  return path
}

describe.each(NASTY)('code that publishes %s', (payload) => {
  it('as curl, byte for byte', async () => {
    await run('sh', ['-c', curlSnippet(options(payload, { idempotencyKey: "key's $1" }))])
    const { body, headers } = arrived()
    expect(body).toBe(publicationBody(options(payload).publication))
    expect(headers).toMatchObject({ 'x-api-key': SECRET, 'content-type': 'application/json', 'idempotency-key': "key's $1" })
  })

  it.runIf(hasPython)('as Python', async () => {
    await run('python3', [await write('publish.py', pythonSnippet(options(payload, { idempotencyKey: "key's $1" })))])
    const { body, headers } = arrived()
    expect(compactJson(body)).toBe(publicationBody(options(payload).publication))
    expect(headers).toMatchObject({ 'x-api-key': SECRET, 'content-type': 'application/json', 'idempotency-key': "key's $1" })
  })

  it('as TypeScript', async () => {
    await run(process.execPath, [await write('publish.mts', typescriptSnippet(options(payload, { idempotencyKey: "key's $1" })))])
    const { body, headers } = arrived()
    expect(compactJson(body)).toBe(publicationBody(options(payload).publication))
    expect(headers).toMatchObject({ 'x-api-key': SECRET, 'content-type': 'application/json', 'idempotency-key': "key's $1" })
  })

  it.runIf(hasPython)('with the Python SDK, as values', async () => {
    mkdirSync(join(folder.path, 'sdk'), { recursive: true })
    writeFileSync(join(folder.path, 'sdk', 'intent_bus.py'), RECORDING_SDK)
    const path = await write('sdk.py', sdkSnippet(options(payload, { priority: 7, target: 'pi4', idempotencyKey: "key's $1" })))
    const { stdout } = await run('python3', [path], { env: { ...process.env, PYTHONPATH: join(folder.path, 'sdk') } })
    const [base_url, api_key, call] = JSON.parse(stdout) as [string, string, Record<string, unknown>]
    expect([base_url, api_key]).toEqual([url, SECRET])
    const { goal } = options(payload).publication
    expect(call).toEqual({ goal, payload: JSON.parse(payload), priority: 7, target_worker: 'pi4', idempotency_key: "key's $1" })
  })
})

/** Says what it was called with, as the protocol's SDK would send it. */
const RECORDING_SDK = `import json

class IntentClient:
    def __init__(self, base_url, api_key):
        self.told = [base_url, api_key]

    def publish(self, **told):
        return json.dumps(self.told + [told])
`

it('reads a key from the environment, and asks for one that nothing can read', async () => {
  const { publication } = options('{}')
  const fromEnvironment = { publication, idempotencyKey: '', place: { url, pin: null }, key: { in: 'environment', where: 'BUS_SECRET' } } as const
  await run('sh', ['-c', curlSnippet(fromEnvironment)], { env: { ...process.env, BUS_SECRET: 'of the shell' } })
  await run(process.execPath, [await write('environment.mts', typescriptSnippet(fromEnvironment))], { env: { ...process.env, BUS_SECRET: 'of node' } })
  expect(received.splice(0).map(({ headers }) => headers['x-api-key'])).toEqual(['of the shell', 'of node'])

  const key = "paste the key of Ada's pi here"
  await run('sh', ['-c', curlSnippet({ ...fromEnvironment, key })])
  await run(process.execPath, [await write('placeholder.mts', typescriptSnippet({ ...fromEnvironment, key }))])
  expect(received.splice(0).map(({ headers }) => headers['x-api-key'])).toEqual([key, key])
})

it('gives a terminal nothing that it takes for a key, and eyes nothing that turns around', async () => {
  const goal = `x${'\u007f'.repeat(40)}; echo \u009b2J \u202edetrevni\u2028`
  const payload = JSON.stringify({ [goal]: goal })
  const snippets = [curlSnippet, pythonSnippet, sdkSnippet, typescriptSnippet].map((write) => write(options(payload, { goal })))
  expect(snippets.filter((code) => /[\u007f-\u009f\u2028-\u202e]/.test(code))).toEqual([])
  await run('sh', ['-c', snippets[0]!])
  expect(JSON.parse(arrived().body)).toEqual({ goal, payload: { [goal]: goal } })
})
