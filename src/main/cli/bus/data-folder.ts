import { homedir } from 'node:os'
import { join, resolve } from 'node:path'

type Environment = Readonly<Record<string, string | undefined>>

/** What the app's folder is called. */
const APP_ID = 'intent-bus-desktop'

/** Where a bus of this user keeps its data: BUS_DATA_DIR, else where the desktop app keeps it on each platform. */
export function dataFolderOf(env: Environment, platform: NodeJS.Platform = process.platform): string {
  return resolve(env.BUS_DATA_DIR?.trim() || defaultFolder(env, platform))
}

function defaultFolder(env: Environment, platform: NodeJS.Platform): string {
  if (platform === 'win32') return join(env.APPDATA ?? join(homedir(), 'AppData', 'Roaming'), APP_ID)
  if (platform === 'darwin') return join(homedir(), 'Library', 'Application Support', APP_ID)
  return join(env.XDG_CONFIG_HOME || join(homedir(), '.config'), APP_ID)
}
