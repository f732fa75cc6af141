import type { Display, Point, Rectangle, Screen } from 'electron'
import { requireReady } from './readiness.ts'
import { StrictEmitter } from './strict.ts'

/** The one display, with a bar of the desktop at its top. */
const BOUNDS: Rectangle = { x: 0, y: 0, width: 1920, height: 1080 }
export const WORK_AREA: Rectangle = { x: 0, y: 32, width: 1920, height: 1048 }

type Shown = Pick<Display, 'id' | 'bounds' | 'workArea' | 'workAreaSize' | 'size' | 'scaleFactor' | 'rotation' | 'internal'>

const DISPLAY: Shown = {
  id: 1,
  bounds: BOUNDS,
  workArea: WORK_AREA,
  workAreaSize: { width: WORK_AREA.width, height: WORK_AREA.height },
  size: { width: BOUNDS.width, height: BOUNDS.height },
  scaleFactor: 1,
  rotation: 0,
  internal: true
}

class StandInScreen extends StrictEmitter implements Record<keyof Pick<Screen, 'getAllDisplays' | 'getPrimaryDisplay' | 'getDisplayNearestPoint' | 'getDisplayMatching' | 'getCursorScreenPoint'>, unknown> {
  static override readonly events = ['display-added', 'display-removed', 'display-metrics-changed']

  getAllDisplays(): Shown[] {
    return [this.getPrimaryDisplay()]
  }

  getPrimaryDisplay(): Shown {
    requireReady("The 'screen' module can't be used before the app 'ready' event")
    return structuredClone(DISPLAY)
  }

  getDisplayNearestPoint(_point: Point): Shown {
    return this.getPrimaryDisplay()
  }

  getDisplayMatching(_bounds: Rectangle): Shown {
    return this.getPrimaryDisplay()
  }

  getCursorScreenPoint(): Point {
    requireReady("The 'screen' module can't be used before the app 'ready' event")
    return { x: 960, y: 540 }
  }
}

export const screen = new StandInScreen()
