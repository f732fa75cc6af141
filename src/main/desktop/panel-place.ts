import type { Bounds } from './window-state.ts'

/** Pixels between the panel and the tray or the edge of the screen. */
const GAP = 8

/**
 * Where the panel goes: centred at the tray's icon, on its side of the screen, and whole within the work area. Where
 * the system does not tell of the tray (no size), at the corner where most desktops have it.
 */
export function placePanel(size: { readonly width: number; readonly height: number }, tray: Bounds, workArea: Bounds): Bounds {
  const { width, height } = size
  if (tray.width === 0 || tray.height === 0) {
    return fit({ x: workArea.x + workArea.width - width - GAP, y: workArea.y + GAP, width, height }, workArea)
  }
  const isBelowTray = tray.y < workArea.y + workArea.height / 2
  return fit(
    {
      x: Math.round(tray.x + tray.width / 2 - width / 2),
      y: isBelowTray ? tray.y + tray.height + GAP : tray.y - height - GAP,
      width,
      height
    },
    workArea
  )
}

function fit({ x, y, width, height }: Bounds, area: Bounds): Bounds {
  return {
    x: clamp(x, area.x, area.x + area.width - width),
    y: clamp(y, area.y, area.y + area.height - height),
    width,
    height
  }
}

/** On a screen smaller than the panel its beginning is what must be seen. */
function clamp(value: number, min: number, max: number): number {
  return Math.max(min, Math.min(value, max))
}
