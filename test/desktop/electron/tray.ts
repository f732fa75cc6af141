import { readFileSync } from 'node:fs'
import type { Rectangle, Tray as ElectronTray } from 'electron'
import type { Menu } from './menu.ts'
import { requireReady } from './readiness.ts'
import { guardDestroyed, StrictEmitter } from './strict.ts'

type Implemented = 'destroy' | 'isDestroyed' | 'setToolTip' | 'getBounds'

const PNG_START = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])

/** An icon beside the clock of a Linux desktop. */
export class Tray extends StrictEmitter implements Pick<ElectronTray, Implemented> {
  // On Linux an icon knows one click; its menu is the desktop's to open.
  static override readonly events = ['click']
  #isDestroyed = false

  constructor(image: string) {
    requireReady('Cannot create Tray before app is ready')
    super()
    checkImage(image)
  }

  setImage(image: string): void {
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

/** Images are given by their files. Electron throws at a file that is none, as this does. */
function checkImage(path: string): void {
  let start: Buffer
  try {
    start = readFileSync(path).subarray(0, PNG_START.length)
  } catch {
    start = Buffer.alloc(0)
  }
  if (!start.equals(PNG_START)) throw new Error(`Failed to load image from path '${path}'`)
}
