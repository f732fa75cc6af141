import type { Clipboard } from 'electron'
import { StrictObject } from './strict.ts'

/** A clipboard of the stand-in's own: tests leave the one of the desktop alone. */
class StandInClipboard extends StrictObject implements Pick<Clipboard, 'readText' | 'writeText'> {
  #text = ''

  async readText(): Promise<string> {
    return this.#text
  }

  async writeText(text: string): Promise<void> {
    if (typeof text !== 'string') throw new TypeError('Error processing argument at index 0, conversion failure')
    this.#text = text
  }

}

export const clipboard = new StandInClipboard()
