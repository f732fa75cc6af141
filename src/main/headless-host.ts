import type { Config } from './config.ts'
import { noticesOfFolder } from './data-directory.ts'
import { FileVault } from './file-vault.ts'
import type { Host } from './host.ts'
import { ProtocolError } from '../shared/errors.ts'

const ONLY_DESKTOP = 'Only the desktop app has this: here the bus runs without a window.'

/** What surrounds a bus without a window: files, and nothing to show. */
export function headlessHost(config: Config): Host {
  return {
    shell: 'headless',
    vault: new FileVault(config.dataDir),
    logFile: null,
    unavailableSettings: {
      startAtLogin: ONLY_DESKTOP,
      closeToTray: ONLY_DESKTOP,
      notifyDead: ONLY_DESKTOP,
      keepAwake: ONLY_DESKTOP,
      panelShortcut: ONLY_DESKTOP
    },
    notices: noticesOfFolder(config.dataDir),
    async show() {
      throw new ProtocolError('invalid_request', ONLY_DESKTOP)
    },
    async applySettings() {}
  }
}
