#!/usr/bin/env node
/**
 * Packages the app for the platform it runs on, as electron-builder.yml says: AppImage and deb, dmg, or an installer for
 * Windows, in `dist/`. Says in a sentence what is missing when that is not possible here.
 *
 *   node resources/package.mjs               all packages of this platform
 *   node resources/package.mjs --dir         only the folder that goes into them
 */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

const ROOT = join(import.meta.dirname, '..')
const PLATFORMS = { linux: '--linux', darwin: '--mac', win32: '--win' }

const require = createRequire(import.meta.url)

function give(sentence) {
  process.stderr.write(`${sentence}\n`)
  process.exit(1)
}

/** The folder of Electron's runtime: what is packaged is what the tests ran on. */
function runtimeFolder() {
  const override = process.env.ELECTRON_OVERRIDE_DIST_PATH
  const folder = override ?? join(dirname(require.resolve('electron/package.json')), 'dist')
  if (existsSync(folder)) return folder
  return give(
    override === undefined
      ? "Nothing was packaged: Electron's runtime is not here. Fetch it with npx install-electron, or name its folder by ELECTRON_OVERRIDE_DIST_PATH."
      : `Nothing was packaged: ELECTRON_OVERRIDE_DIST_PATH names no folder (${override}).`
  )
}

function run(packageName, script, args) {
  const path = join(dirname(require.resolve(`${packageName}/package.json`)), script)
  return spawnSync(process.execPath, [path, ...args], { cwd: ROOT, stdio: 'inherit' }).status === 0
}

const options = process.argv.slice(2)
const unknown = options.find((option) => option !== '--dir')
if (unknown !== undefined) give(`${unknown} is not an option; there is --dir. Each platform packages for itself.`)
const platform = PLATFORMS[process.platform]
if (platform === undefined) give(`There is no Electron for ${process.platform}; nothing was packaged.`)
const electronDist = runtimeFolder()

const isBuilt =
  spawnSync(process.execPath, [join(ROOT, 'resources', 'build-client.mjs')], { cwd: ROOT, stdio: 'inherit' }).status === 0 &&
  run('electron-vite', join('bin', 'electron-vite.js'), ['build'])
if (!isBuilt) give('The build failed; nothing was packaged.')
const builderArgs = [platform, ...options, '--publish', 'never', `-c.electronDist=${electronDist}`]
if (!run('electron-builder', 'cli.js', builderArgs)) {
  give('Packaging failed. The first time it fetches tools of its own (for AppImage, deb, or the installer), which needs the network.')
}
