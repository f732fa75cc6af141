import { readFileSync } from 'node:fs'
import { createRequire, registerHooks } from 'node:module'
import { dirname, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { launchApp, makeAppReady } from './app.ts'
import { openDoor } from './door.ts'

/**
 * Runs an app as `electron [-r recorder] <folder> [arguments]` does, with the stand-in in the place of Electron:
 * `node launch.ts [-r recorder] <folder> [arguments]`.
 */

const require = createRequire(import.meta.url)
const ELECTRON = new URL('./index.ts', import.meta.url).href

interface Package {
  readonly name: string
  readonly productName?: string
  readonly version: string
  readonly main: string
}

const args = process.argv.slice(2)
const recorder = args[0] === '-r' ? resolve(args.splice(0, 2)[1]!) : undefined
const folder = resolve(args[0]!)
const { name, productName, version, main } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Package

becomeElectron()
const { tellReady } = openDoor()
launchApp({ path: folder, name: productName ?? name, version })
if (recorder !== undefined) require(recorder)
await import(pathToFileURL(join(folder, main)).href)
await makeAppReady()
tellReady()
// Electron's loop runs until the app quits, whether or not anything is under way.
setInterval(() => {}, 2 ** 30)

function becomeElectron(): void {
  const electron = require.resolve('electron/package.json')
  const { version: electronVersion } = JSON.parse(readFileSync(electron, 'utf8')) as { version: string }
  Object.defineProperty(process.versions, 'electron', { value: electronVersion, enumerable: true })
  Object.assign(process, { type: 'browser', defaultApp: true, resourcesPath: join(dirname(electron), 'dist', 'resources') })
  process.argv = [process.execPath, ...args]
  registerHooks({
    resolve: (specifier, context, next) =>
      /^electron(\/main|\/common)?$/.test(specifier) ? { url: ELECTRON, shortCircuit: true } : next(specifier, context)
  })
}
