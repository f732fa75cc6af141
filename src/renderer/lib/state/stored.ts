/** Reads what this browser keeps for the interface; null where there is nothing, or where nothing may be kept. */
export function readStored(name: string): string | null {
  try {
    return localStorage.getItem(`intent-bus.${name}`)
  } catch {
    return null
  }
}

/** Keeps it; null forgets it. Where nothing may be kept it counts until the page is closed. */
export function writeStored(name: string, value: string | null): void {
  try {
    if (value === null) localStorage.removeItem(`intent-bus.${name}`)
    else localStorage.setItem(`intent-bus.${name}`, value)
  } catch {
    // A browser that keeps nothing still shows the interface.
  }
}
