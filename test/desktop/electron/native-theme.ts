import type { NativeTheme } from 'electron'
import { colorScheme, setColorScheme } from './color-scheme.ts'
import { StrictEmitter } from './strict.ts'

type Source = NativeTheme['themeSource']

/** The colours of the desktop, which pages follow. */
class StandInNativeTheme extends StrictEmitter implements Pick<NativeTheme, 'shouldUseDarkColors' | 'themeSource'> {
  static override readonly events = ['updated']
  #source: Source = 'system'

  get shouldUseDarkColors(): boolean {
    return colorScheme() === 'dark'
  }

  get themeSource(): Source {
    return this.#source
  }

  set themeSource(source: Source) {
    if (!['system', 'light', 'dark'].includes(source)) throw new TypeError('Error processing argument at index 0, conversion failure')
    this.#source = source
    setColorScheme(source === 'dark' ? 'dark' : 'light')
    this.emit('updated')
  }
}

export const nativeTheme = new StandInNativeTheme()
