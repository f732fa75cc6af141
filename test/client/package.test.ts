import { existsSync, mkdirSync, readdirSync, readFileSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ROOT } from '../support/bus-process.ts'
import { temporaryFolder } from '../support/folders.ts'
import { MAIN_KEY, TestServer } from '../support/test-server.ts'
import { builtPackage, run } from './built-package.ts'

const server = await TestServer.start({ isClockReal: true, requireSignatures: true })
const folder = temporaryFolder()
const program = join(folder.path, 'program')
afterAll(async () => {
  folder[Symbol.dispose]()
  await server[Symbol.asyncDispose]()
})

/** A program that has the package, and nothing else. */
beforeAll(async () => {
  using built = await builtPackage()
  await run('npm', ['pack', '--pack-destination', folder.path], built.path)
  const tarball = readdirSync(folder.path).find((name) => name.endsWith('.tgz'))!
  mkdirSync(program)
  writeFileSync(join(program, 'package.json'), '{"name":"program","type":"module","private":true}')
  await run('npm', ['install', '--offline', '--no-audit', '--no-fund', join(folder.path, tarball)], program)
}, 120_000)

/** Node as it runs the tests, and others that are installed. */
function nodes(): string[] {
  const name = process.platform === 'win32' ? 'node.exe' : 'node'
  const found = (process.env.PATH ?? '').split(delimiter).map((path) => join(path, name)).filter(existsSync)
  return [...new Set([process.execPath, ...found].map((path) => realpathSync(path)))]
}

interface Manifest {
  readonly version: string
  readonly bin: { readonly 'intent-bus': string }
}

const PROGRAM = `
import { IntentClient, SettledIds, readJson } from 'intent-bus-client'
import * as node from 'intent-bus-client/node'
import * as web from 'intent-bus-client/web'
if (IntentClient !== node.IntentClient || IntentClient === web.IntentClient) throw new Error('the wrong entry')
const client = new IntentClient({ baseUrl: process.argv[2], apiKey: process.argv[3], numbers: 'exact' })
const worker = client.worker({ goal: 'double', settled: new SettledIds(), handler: (payload) => [payload, payload] })
const running = worker.run()
const { resultText } = await client.publishAndWait('double', 12345678901234567890n)
await worker.stop()
await running
console.log(process.version, resultText)
`

test.each(nodes())('a program works with the installed package under %s', async (node) => {
  writeFileSync(join(program, 'program.js'), PROGRAM)
  const output = await run(node, ['program.js', server.url, MAIN_KEY], program)
  expect(output).toMatch(/^v\d+\.\d+\.\d+ \[12345678901234567890,12345678901234567890\]\n$/)
})

test.each(nodes())('its command runs under %s', async (node) => {
  const installed = join(program, 'node_modules', 'intent-bus-client')
  const { bin, version } = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8')) as Manifest
  const command = join(installed, bin['intent-bus'])
  expect(version).toBe((JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as Manifest).version)
  expect(await run(node, [command, '--version'], program)).toContain(version)
})

const CONSUMER = (entry: string): string => `
import { IntentClient, IntentBusError, SettledIds, type ClaimedIntent, type Handler, type IntentResult } from '${entry}'
const client = new IntentClient({ apiKey: 'k', numbers: 'exact' })
const handler: Handler = async (payload, { intent, signal, progress }) => {
  await progress(intent.goal)
  return signal.aborted ? undefined : payload
}
export const worker = client.worker({ goals: { a: handler }, settled: new SettledIds({ max: 5 }) })
export async function go(signal: AbortSignal): Promise<IntentResult | ClaimedIntent | null> {
  try {
    for await (const event of client.events({ signal })) if (event.type === 'change') console.log(event.goal.length)
    return await client.publishAndWait('a', { b: 1n }, { priority: 5, timeout: 3 })
  } catch (error) {
    if (error instanceof IntentBusError && error.retryAfter !== undefined) return client.claim({ goal: ['a', 'b'], wait: 30 })
    throw error
  }
}
// @ts-expect-error goals are texts
await client.publish(1, {})
`

const IN_NODE = `
import { SettledFile } from 'intent-bus-client/node'
export const remembered = new SettledIds({ store: new SettledFile('settled') })
`

test.each([
  ['nodenext in a program for Node', 'nodenext', 'nodenext', ['node'], ['es2022'], CONSUMER('intent-bus-client') + IN_NODE],
  ['bundler in a program for Node', 'bundler', 'esnext', ['node'], ['es2022'], CONSUMER('intent-bus-client') + IN_NODE],
  ['bundler in a page', 'bundler', 'esnext', [], ['es2022', 'dom'], CONSUMER('intent-bus-client')]
])('its types are right with %s', async (_name, moduleResolution, module, types, lib, source) => {
  const consumer = join(folder.path, `consumer-${moduleResolution}-${lib.length}`)
  mkdirSync(consumer)
  writeFileSync(join(consumer, 'package.json'), '{"type":"module"}')
  writeFileSync(join(consumer, 'index.ts'), source)
  const compilerOptions = {
    module,
    moduleResolution,
    types,
    lib,
    target: 'es2022',
    strict: true,
    exactOptionalPropertyTypes: true,
    noEmit: true,
    typeRoots: [join(ROOT, 'node_modules', '@types')]
  }
  writeFileSync(join(consumer, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['index.ts'] }))
  symlinkSync(join(program, 'node_modules'), join(consumer, 'node_modules'), 'junction')
  expect(await run(process.execPath, [join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc'), '-p', consumer], consumer)).toBe('')
})

test('it has no dependencies, and no file that it does not need', () => {
  const installed = join(program, 'node_modules', 'intent-bus-client')
  expect(readdirSync(join(program, 'node_modules')).filter((name) => !name.startsWith('.'))).toEqual(['intent-bus-client'])
  const files = readdirSync(installed, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  const scripts = files.filter(({ name }) => name.endsWith('.js')).map(({ parentPath, name }) => join(parentPath, name))
  const imported = scripts.flatMap((path) => [...readFileSync(path, 'utf8').matchAll(/^(?:import|export) .*?from ['"]([^'"]+)['"]/gm)])
  expect(imported.map(([, name]) => name!).filter((name) => !/^([.]|node:)/.test(name))).toEqual([])
  // For browsers nothing of Node's either.
  const web = scripts.filter((path) => path.includes(join('shared', 'client')))
  expect(web.filter((path) => readFileSync(path, 'utf8').includes("'node:"))).toEqual([])
})
