import type { PowerSaveBlocker } from 'electron'
import { requireReady } from './readiness.ts'
import { StrictObject } from './strict.ts'

const NOT_READY = 'powerSaveBlocker cannot be used before the app is ready'

/** Keeps a machine awake; here it is only known who wants that. */
class StandInPowerSaveBlocker extends StrictObject implements Pick<PowerSaveBlocker, 'isStarted' | 'start' | 'stop'> {
  readonly #started = new Map<number, string>()
  #lastId = 0

  start(type: 'prevent-app-suspension' | 'prevent-display-sleep'): number {
    requireReady(NOT_READY)
    if (type !== 'prevent-app-suspension' && type !== 'prevent-display-sleep') {
      throw new TypeError(`Error processing argument at index 0, conversion failure from ${String(type)}`)
    }
    this.#started.set(++this.#lastId, type)
    return this.#lastId
  }

  stop(id: number): boolean {
    requireReady(NOT_READY)
    return this.#started.delete(id)
  }

  isStarted(id: number): boolean {
    return this.#started.has(id)
  }
}

export const powerSaveBlocker = new StandInPowerSaveBlocker()
