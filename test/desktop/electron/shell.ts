import { existsSync } from 'node:fs'
import type { Shell } from 'electron'
import { StrictObject } from './strict.ts'

/** What other programs would be asked for. Nothing is started. */
class StandInShell extends StrictObject implements Pick<Shell, 'openExternal' | 'openPath'> {
  async openExternal(url: string): Promise<void> {
    if (!URL.canParse(url)) throw new Error('Invalid URL')
  }

  async openPath(path: string): Promise<string> {
    return existsSync(path) ? '' : 'Failed to open path'
  }

}

export const shell = new StandInShell()
