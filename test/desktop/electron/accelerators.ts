const MODIFIERS = new Set([
  'command', 'cmd', 'control', 'ctrl', 'commandorcontrol', 'cmdorctrl', 'alt', 'option', 'altgr', 'shift', 'super', 'meta'
])

const KEYS = new Set([
  ...'abcdefghijklmnopqrstuvwxyz0123456789'.split(''),
  ...Array.from({ length: 24 }, (_, index) => `f${index + 1}`),
  ...')!@#$%^&*(:;+=<,_->.?/~`{][|\\}"\''.split(''),
  'plus', 'space', 'tab', 'capslock', 'numlock', 'scrolllock', 'backspace', 'delete', 'insert', 'return', 'enter', 'up', 'down', 'left',
  'right', 'home', 'end', 'pageup', 'pagedown', 'escape', 'esc', 'volumeup', 'volumedown', 'volumemute', 'medianexttrack',
  'mediaprevioustrack', 'mediastop', 'mediaplaypause', 'printscreen'
])

/** Whether Electron can make keys of an accelerator: modifiers, and one key that is none. */
export function isAccelerator(accelerator: string): boolean {
  const parts = accelerator.toLowerCase().split('+').map((part) => part.trim())
  const keys = parts.filter((part) => !MODIFIERS.has(part))
  return keys.length === 1 && KEYS.has(keys[0]!)
}
