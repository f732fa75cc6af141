import type { GlobalShortcut } from 'electron'
import { isAccelerator } from './accelerators.ts'
import { requireReady } from './readiness.ts'
import { StrictObject } from './strict.ts'

const NOT_READY = 'globalShortcut cannot be used before the app is ready'

/** Keys that reach the app from anywhere. Nobody presses them here; tests call what was registered. */
class StandInGlobalShortcut extends StrictObject implements Pick<GlobalShortcut, 'register' | 'unregister'> {
  readonly #registered = new Map<string, () => void>()

  register(accelerator: string, callback: () => void): boolean {
    requireReady(NOT_READY)
    if (!isAccelerator(accelerator)) throw new TypeError(`Error processing argument at index 0, conversion failure from ${accelerator}`)
    if (this.#registered.has(accelerator)) return false
    this.#registered.set(accelerator, callback)
    return true
  }

  unregister(accelerator: string): void {
    requireReady(NOT_READY)
    this.#registered.delete(accelerator)
  }

}

export const globalShortcut = new StandInGlobalShortcut()
