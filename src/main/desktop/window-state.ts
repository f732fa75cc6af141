import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { writeFileAtomically } from '../files.ts'

/** A place on the screens, in device-independent pixels. */
export interface Bounds {
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}

const size = z.int().min(1).max(100_000)
const position = z.int().min(-100_000).max(100_000)

const schema = z.strictObject({
  bounds: z.strictObject({ x: position, y: position, width: size, height: size }).nullable(),
  isMaximized: z.boolean(),
  /** The user was told that a closed window leaves the bus running. */
  hasSaidTray: z.boolean()
})

export type WindowState = Readonly<z.infer<typeof schema>>

const FIRST_STATE: WindowState = { bounds: null, isMaximized: false, hasSaidTray: false }

/** How the main window was left, kept in a file. A file that cannot be used counts as none: it is worth no question. */
export class WindowStateFile {
  readonly #path: string
  #state: WindowState

  constructor(path: string) {
    this.#path = path
    this.#state = read(path)
  }

  get state(): WindowState {
    return this.#state
  }

  /** Throws where the file cannot be written; the change counts for this run all the same. */
  change(change: Partial<WindowState>): void {
    this.#state = { ...this.#state, ...change }
    writeFileAtomically(this.#path, `${JSON.stringify(this.#state)}\n`)
  }
}

function read(path: string): WindowState {
  try {
    return schema.parse(JSON.parse(readFileSync(path, 'utf8')))
  } catch {
    return FIRST_STATE
  }
}

/** So much of a window must lie on a screen for a pointer to get hold of it. */
const GRIP = { width: 120, height: 40 }

/**
 * Where a window goes that was left at `bounds`: there, if enough of its title bar is still on one of the screens'
 * `workAreas`, and never larger than that screen. undefined when that place is gone.
 */
export function clampBounds(bounds: Bounds, workAreas: readonly Bounds[]): Bounds | undefined {
  const area = workAreas.find((candidate) => {
    const width = Math.min(bounds.x + bounds.width, candidate.x + candidate.width) - Math.max(bounds.x, candidate.x)
    const isTitleInside = bounds.y >= candidate.y && bounds.y + GRIP.height <= candidate.y + candidate.height
    return width >= GRIP.width && isTitleInside
  })
  if (area === undefined) return undefined
  return { ...bounds, width: Math.min(bounds.width, area.width), height: Math.min(bounds.height, area.height) }
}
