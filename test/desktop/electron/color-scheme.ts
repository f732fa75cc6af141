import { EventEmitter } from 'node:events'

export type ColorScheme = 'light' | 'dark'

const changes = new EventEmitter().setMaxListeners(0)
let current: ColorScheme = 'light'

/** Which colours pages are asked to use; nativeTheme decides. */
export function colorScheme(): ColorScheme {
  return current
}

export function setColorScheme(scheme: ColorScheme): void {
  if (scheme === current) return
  current = scheme
  changes.emit('change')
}

/** Hears of changes, until the answer is called. */
export function onColorScheme(hear: () => void): () => void {
  changes.on('change', hear)
  return () => changes.off('change', hear)
}
