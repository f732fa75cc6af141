let isReady = false

/** Whether the app has emitted `ready`. */
export function isAppReady(): boolean {
  return isReady
}

export function becomeReady(): void {
  isReady = true
}

/** Throws before the app is ready, in Electron's words. */
export function requireReady(refusal: string): void {
  if (!isReady) throw new Error(refusal)
}

/** Throws once the app is ready, in Electron's words. */
export function requireNotReady(refusal: string): void {
  if (isReady) throw new Error(refusal)
}
