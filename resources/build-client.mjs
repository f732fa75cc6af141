#!/usr/bin/env node
/**
 * Builds the package `intent-bus-client` in `out/client`, ready to be published: the SDK for TypeScript and JavaScript and the
 * command line `intent-bus`, as ES modules with their types and without dependencies; and packs it into
 * `out/intent-bus-client.tgz`, which the bus hands out. Ends with 1 when the compiler complains.
 *
 *   node resources/build-client.mjs
 *   node resources/build-client.mjs <folder>      in a new folder, and not in out/client; not packed
 */
import { spawnSync } from 'node:child_process'
import { chmodSync, copyFileSync, existsSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, resolve } from 'node:path'

const ROOT = join(import.meta.dirname, '..')
const FOLDER = resolve(process.argv[2] ?? join(ROOT, 'out', 'client'))

const NODE_ENTRY = 'main/client/index'
const WEB_ENTRY = 'shared/client/index'
const COMMAND = 'main/cli/index.js'

function entry(path) {
  return { types: `./${path}.d.ts`, default: `./${path}.js` }
}

function manifest() {
  const { version, license, author } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
  return {
    name: 'intent-bus-client',
    version,
    description: 'Client, worker runtime and command line for an intent bus (Intent Protocol 2.1), for Node, Deno, Bun and browsers.',
    license,
    author,
    type: 'module',
    exports: {
      // Compilers with `moduleResolution: bundler` know no condition `node`: programs that need its types name it.
      '.': { node: entry(NODE_ENTRY), default: entry(WEB_ENTRY) },
      './node': entry(NODE_ENTRY),
      './web': entry(WEB_ENTRY),
      './package.json': './package.json'
    },
    types: `./${WEB_ENTRY}.d.ts`,
    bin: { 'intent-bus': COMMAND },
    engines: { node: '>=20' },
    sideEffects: false,
    peerDependencies: { '@opentelemetry/api': '^1.0.0' },
    peerDependenciesMeta: { '@opentelemetry/api': { optional: true } }
  }
}

function compile() {
  const tsc = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin', 'tsc')
  const args = [tsc, '-p', join(ROOT, 'tsconfig.client.json'), '--outDir', FOLDER]
  const { status } = spawnSync(process.execPath, args, { cwd: ROOT, stdio: 'inherit' })
  if (status !== 0) process.exit(1)
}

/** The files that a module needs of its own package, itself included. */
function reach(path, found = new Set()) {
  if (found.has(path)) return found
  found.add(path)
  // Declarations name modules by their source: `x.ts` is described by `x.d.ts`.
  const isTypes = path.endsWith('.d.ts')
  const names = readFileSync(path, 'utf8').matchAll(/(?:\bfrom\s+|\bimport\s*\(?\s*)['"](\.[^'"]+)['"]/g)
  for (const [, name] of names) reach(join(dirname(path), isTypes ? name.replace(/[.]ts$/, '.d.ts') : name), found)
  return found
}

/** The compiler also writes what only types were taken from, and types of what nobody imports. */
function prune() {
  const entries = [`${NODE_ENTRY}.js`, `${WEB_ENTRY}.js`, COMMAND, `${NODE_ENTRY}.d.ts`, `${WEB_ENTRY}.d.ts`]
  const needed = new Set(entries.flatMap((path) => [...reach(join(FOLDER, path))]))
  const paths = readdirSync(FOLDER, { recursive: true }).map((name) => join(FOLDER, name))
  for (const path of paths) if (statSync(path).isFile() && !needed.has(path)) rmSync(path)
}

/** Under a name without the version, so that its address stays the same. */
function pack() {
  const out = dirname(FOLDER)
  const { npm_execpath: npm } = process.env
  const args = ['pack', FOLDER, '--pack-destination', out, '--json', '--ignore-scripts', '--loglevel=error']
  const { status, stdout } = npm?.endsWith('.js')
    ? spawnSync(process.execPath, [npm, ...args], { cwd: ROOT, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] })
    : spawnSync('npm', args, { cwd: ROOT, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'], shell: process.platform === 'win32' })
  if (status !== 0) process.exit(1)
  const [packed] = Object.values(JSON.parse(stdout))
  renameSync(join(out, packed.filename), join(out, 'intent-bus-client.tgz'))
}

if (process.argv[2] === undefined) rmSync(FOLDER, { recursive: true, force: true })
else if (existsSync(FOLDER)) throw new Error(`${FOLDER} is there already; what does not belong to the package would be deleted.`)
compile()
prune()
writeFileSync(join(FOLDER, 'package.json'), `${JSON.stringify(manifest(), null, 2)}\n`)
copyFileSync(join(ROOT, 'LICENSE'), join(FOLDER, 'LICENSE'))
copyFileSync(join(ROOT, 'docs', 'client.md'), join(FOLDER, 'README.md'))
chmodSync(join(FOLDER, COMMAND), 0o755)
if (process.argv[2] === undefined) pack()
