import { execFile } from 'node:child_process'

/** The name under which a Linux desktop's tray is found on the session bus. */
const TRAY_NAME = 'org.kde.StatusNotifierWatcher'
const PATIENCE_MS = 1_000

/**
 * False where the desktop says that it shows no tray icons, as GNOME does without an extension: an icon put there would
 * be nowhere. Only Linux desktops are asked; one that does not answer is taken to have a tray.
 */
export async function hasTray(platform: NodeJS.Platform): Promise<boolean> {
  if (platform !== 'linux') return true
  const object = ['--dest', 'org.freedesktop.DBus', '--object-path', '/org/freedesktop/DBus']
  const question = ['--method', 'org.freedesktop.DBus.NameHasOwner', TRAY_NAME]
  const { promise, resolve } = Promise.withResolvers<boolean>()
  execFile('gdbus', ['call', '--session', ...object, ...question], { timeout: PATIENCE_MS }, (error, answer) => {
    resolve(error !== null || answer.trim() !== '(false,)')
  })
  return promise
}
