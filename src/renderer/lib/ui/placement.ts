const GAP = 4

/** Where a popup goes, in pixels of the viewport: below its anchor where there is room, else above, never outside. */
export function place(anchor: DOMRect, popup: { readonly width: number; readonly height: number }, align: 'start' | 'end'): { left: number; top: number } {
  const below = anchor.bottom + GAP
  const fitsBelow = below + popup.height <= innerHeight - GAP
  const top = fitsBelow ? below : Math.max(GAP, anchor.top - GAP - popup.height)
  const wanted = align === 'start' ? anchor.left : anchor.right - popup.width
  return { left: Math.max(GAP, Math.min(wanted, innerWidth - popup.width - GAP)), top }
}
