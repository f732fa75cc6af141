import { readFileSync } from 'node:fs'
import type { NativeImage as ElectronNativeImage, Size } from 'electron'
import { StrictObject } from './strict.ts'

const PNG_START = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])
/** Where a PNG says its size: behind its mark, and the length and name of its first part. */
const PNG_WIDTH = 16
const PNG_HEIGHT = 20

/** An image of which only the size is known. */
export class NativeImage extends StrictObject implements Pick<ElectronNativeImage, 'isEmpty' | 'getSize' | 'toPNG' | 'setTemplateImage' | 'isTemplateImage'> {
  readonly #bytes: Buffer
  #isTemplate = false

  constructor(bytes: Buffer) {
    super()
    this.#bytes = bytes.subarray(0, PNG_START.length).equals(PNG_START) ? bytes : Buffer.alloc(0)
  }

  isEmpty(): boolean {
    return this.#bytes.length === 0
  }

  getSize(): Size {
    if (this.isEmpty()) return { width: 0, height: 0 }
    return { width: this.#bytes.readUInt32BE(PNG_WIDTH), height: this.#bytes.readUInt32BE(PNG_HEIGHT) }
  }

  toPNG(): Buffer {
    return Buffer.from(this.#bytes)
  }

  setTemplateImage(isTemplate: boolean): void {
    this.#isTemplate = isTemplate
  }

  isTemplateImage(): boolean {
    return this.#isTemplate
  }
}

class NativeImageModule extends StrictObject {
  createEmpty(): NativeImage {
    return new NativeImage(Buffer.alloc(0))
  }

  /** A file that is no image gives an empty one. */
  createFromPath(path: string): NativeImage {
    try {
      return new NativeImage(readFileSync(path))
    } catch {
      return this.createEmpty()
    }
  }

  createFromBuffer(bytes: Buffer): NativeImage {
    return new NativeImage(bytes)
  }
}

export const nativeImage = new NativeImageModule()
