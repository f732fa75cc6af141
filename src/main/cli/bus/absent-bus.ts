import { CommandError, EXIT } from '../exit.ts'
import type { CredentialSource } from './credentials.ts'

/**
 * Why there is nothing to talk to, where the user names no bus and none runs here: undefined otherwise. Without it, the secrets
 * of this machine's bus would seem to be what is missing.
 */
export function absentBus({ local, from }: CredentialSource): CommandError | undefined {
  if ((from !== 'running.json' && from !== 'default') || local.isRunning) return undefined
  const cure =
    'Start the app, or `npm run headless`. For a bus elsewhere set INTENT_BUS_URL, or name it with --url; for one with another data folder, set BUS_DATA_DIR; `intent-bus pair` gets access to one on your network.'
  return new CommandError(EXIT.unreachable, `No bus runs on this machine, as far as ${local.folder} tells.`, cure)
}
