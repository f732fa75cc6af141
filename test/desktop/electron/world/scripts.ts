import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { isAbsolute } from 'node:path'
import { Script } from 'node:vm'
import { unfetchableHosts } from '../schemes.ts'
import { connectWorlds } from './crossing.ts'
import { startIsolatedWorld, type IsolatedConfig } from './isolated-world.ts'
import { FROM_ISOLATED, FROM_MAIN, startMainWorld } from './main-world.ts'
import { createWire } from './wire.ts'

/** Name of the world in which preloads run. */
export const ISOLATED_WORLD = 'Electron Isolated Context'

// A page that guessed these could pose as its preload, which no page can in Electron.
const secret = randomUUID()
const MAIN_EVENTS = `stand-in-main-${secret}`
const ISOLATED_EVENTS = `stand-in-isolated-${secret}`

/** Functions of the isolated world: to the main process, and from it. */
export const BINDING = `standInPost_${secret.replaceAll('-', '')}`
export const RECEIVER = `standInReceive_${secret.replaceAll('-', '')}`

/** What runs first in the main world of every frame. */
export function mainWorldScript(): string {
  const names = JSON.stringify({ own: MAIN_EVENTS, other: ISOLATED_EVENTS })
  return `(${startMainWorld})(window, ${names}, ${JSON.stringify(FROM_MAIN)}, ${JSON.stringify(unfetchableHosts())}, ${createWire}, ${connectWorlds})`
}

export interface PreloadOptions {
  /** Path of the preload; undefined for a page without one. */
  readonly preload: string | undefined
  readonly isPreloadedInFrames: boolean
  readonly process: object
}

/** What runs in the isolated world of every frame. Throws what keeps the preload from running. */
export function isolatedWorldScript({ preload, isPreloadedInFrames, process }: PreloadOptions): string {
  const config: IsolatedConfig = {
    names: { own: ISOLATED_EVENTS, other: MAIN_EVENTS },
    binding: BINDING,
    receiver: RECEIVER,
    expose: FROM_ISOLATED.expose,
    isPreloadedInFrames,
    process
  }
  const run = preload === undefined ? 'undefined' : preloadFunction(preload)
  return `(${startIsolatedWorld})(window, ${JSON.stringify(config)}, ${createWire}, ${connectWorlds}, ${run})`
}

/** A preload is no module in a sandbox: it is the body of a function, in which `import` is a syntax error. */
function preloadFunction(path: string): string {
  if (!isAbsolute(path)) throw new Error(`preload script must have absolute path: ${path}`)
  const text = `(function (require, module, exports, process) {${readFileSync(path, 'utf8')}\n})`
  new Script(text, { filename: path })
  return text
}
