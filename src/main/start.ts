import { spawn, spawnSync } from 'node:child_process'
import { existsSync, globSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/**
 * What `npm start`, `npm run headless` and `npm run doctor` run, straight from its source: builds when needed, then starts the app, or
 * the headless bus where there is no window to be had. It must not import what the build is made of.
 */

const ROOT = join(import.meta.dirname, '..', '..')
const BUILT_HEADLESS = join(ROOT, 'out', 'main', 'headless.js')
const SOURCES = ['src/**/*', 'electron.vite.config.ts', 'package.json', 'tsconfig.json']

/** Electron's runtime is some 100 MB; a slow line must not keep the bus from starting. */
const RUNTIME_PATIENCE_MS = 120_000

const require = createRequire(import.meta.url)

const [mode, ...rest] = process.argv.slice(2)
await main()

async function main(): Promise<void> {
  if (!build()) return
  const headless = (await import(BUILT_HEADLESS)) as typeof import('./headless.ts')
  if (mode === '--doctor') {
    await headless.runDoctor(rest)
    return
  }
  if (mode === '--headless') {
    await headless.runForMachines(rest)
    return
  }
  const reason = await whyNoWindow()
  if (reason === undefined) startApp()
  else await headless.runForPeople(process.argv.slice(2), reason)
}

/** Builds when a source is newer than the build; its output goes to standard error, which is not for machines. */
function build(): boolean {
  if (existsSync(BUILT_HEADLESS)) {
    const builtAt = statSync(BUILT_HEADLESS).mtimeMs
    const files = globSync(SOURCES, { cwd: ROOT }).map((file) => statSync(join(ROOT, file)))
    if (files.every((file) => file.isDirectory() || file.mtimeMs < builtAt)) return true
  }
  const vite = join(dirname(require.resolve('electron-vite/package.json')), 'bin', 'electron-vite.js')
  // The client comes first: the age of the build is that of its last part.
  for (const step of [[join(ROOT, 'resources', 'build-client.mjs')], [vite, 'build']]) {
    const { status, stdout, stderr } = spawnSync(process.execPath, step, { cwd: ROOT, encoding: 'utf8' })
    if (status === 0) continue
    process.stderr.write(`${stdout}${stderr}\nThe build failed; run npm ci and try again.\n`)
    process.exitCode = 1
    return false
  }
  return true
}

/** One line that says why there will be no window; undefined when there can be one. */
async function whyNoWindow(): Promise<string | undefined> {
  const hasDisplay = process.platform !== 'linux' || process.env.DISPLAY || process.env.WAYLAND_DISPLAY
  if (!hasDisplay) return 'there is no display'
  const isRoot = process.platform === 'linux' && process.getuid?.() === 0
  if (isRoot && !process.argv.includes('--no-sandbox')) return 'Electron has no sandbox for root; start it as another user'
  return fetchRuntime()
}

/** Sees to Electron's runtime, which npm does not install; undefined when it is there. */
async function fetchRuntime(): Promise<string | undefined> {
  const override = process.env.ELECTRON_OVERRIDE_DIST_PATH
  if (override !== undefined) {
    return existsSync(override) ? undefined : `ELECTRON_OVERRIDE_DIST_PATH names no folder (${override})`
  }
  let directory: string
  try {
    directory = dirname(require.resolve('electron/package.json'))
  } catch {
    return 'Electron is not installed'
  }
  if (existsSync(join(directory, 'path.txt'))) return undefined
  process.stdout.write("Fetching Electron's runtime, once, for at most two minutes ...\n")
  const installer = spawn(process.execPath, [join(directory, 'install.js')], { stdio: ['ignore', 'inherit', 'ignore'] })
  const timer = setTimeout(() => installer.kill(), RUNTIME_PATIENCE_MS)
  const [status, signal] = await new Promise<[number | null, NodeJS.Signals | null]>((resolve) => {
    installer.on('exit', (...result) => resolve(result))
  })
  clearTimeout(timer)
  if (status === 0) return undefined
  return signal === null
    ? "Electron's runtime could not be downloaded (npx install-electron says more)"
    : "Electron's runtime took longer than two minutes to download (npx install-electron tries again)"
}

function startApp(): void {
  const electron = require('electron') as unknown as string
  const app = spawn(electron, [fileURLToPath(new URL('../..', import.meta.url)), ...process.argv.slice(2)], {
    stdio: 'inherit'
  })
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => app.kill(signal))
  app.on('exit', (code) => process.exit(code ?? 1))
}
