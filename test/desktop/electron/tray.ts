import type { Rectangle, Tray as ElectronTray } from 'electron'
import type { Menu } from './menu.ts'
import { NativeImage, nativeImage } from './native-image.ts'
import { requireReady } from './readiness.ts'
import { guardDestroyed, StrictEmitter } from './strict.ts'

type Implemented = 'destroy' | 'isDestroyed' | 'setToolTip' | 'getBounds'

/** An icon beside the clock of a Linux desktop. */
export class Tray extends StrictEmitter implements Pick<ElectronTray, Implemented> {
  // On Linux an icon knows one click; its menu is the desktop's to open.
  static override readonly events = ['click']
  #isDestroyed = false

  constructor(image: string | NativeImage) {
    requireReady('Cannot create Tray before app is ready')
    super()
    checkImage(image)
  }

  setImage(image: string | NativeImage): void {
    checkImage(image)
  }

  setToolTip(text: string): void {
    if (typeof text !== 'string') throw new TypeError('Error processing argument at index 0, conversion failure')
  }

  setContextMenu(menu: Menu | null): void {
    if (menu === undefined) throw new TypeError('Error processing argument at index 0, conversion failure')
  }

  /** Linux does not tell where its icons are. */
  getBounds(): Rectangle {
    return { x: 0, y: 0, width: 0, height: 0 }
  }

  destroy(): void {
    this.#isDestroyed = true
  }

  isDestroyed(): boolean {
    return this.#isDestroyed
  }
}
guardDestroyed(Tray.prototype, ['destroy'])

/** Electron throws at a path without an image. An empty image it takes and shows nothing, which no app can mean. */
function checkImage(image: string | NativeImage): void {
  const isMissing = typeof image === 'string' ? nativeImage.createFromPath(image).isEmpty() : image.isEmpty()
  if (isMissing) throw new Error(`Failed to load image from path '${typeof image === 'string' ? image : '(empty)'}'`)
}
