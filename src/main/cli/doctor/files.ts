import { existsSync, statSync } from 'node:fs'
import { homeKeyFile } from '../bus/credentials.ts'
import type { LocalBus } from '../bus/local-bus.ts'
import { isOpenToOthers } from '../bus/secret-file.ts'
import { EXIT } from '../exit.ts'
import { fine, skipped, trouble, warning, type Check } from './check.ts'

/** Whether the data folder of this machine's bus and files with secrets are this user's alone. */
export function checkFiles(local: LocalBus): Check[] {
  const files = [local.keyFile, local.passwordFile, homeKeyFile()].filter((path) => existsSync(path))
  return [checkFolder(local), ...files.flatMap(checkFile)]
}

/** Where other machines reach the bus of this one, and by which pin; nothing where it is not shared. */
export function checkSharing({ isRunning, shared }: LocalBus): Check[] {
  if (!isRunning || shared === undefined) return []
  const [url] = shared.urls
  return [fine('sharing', `Other machines reach the bus of this one at ${url}; its pin is ${shared.pin}, its root's fingerprint ${shared.fingerprint}.`)]
}

function checkFolder({ folder, url }: LocalBus): Check {
  const name = 'data folder'
  if (!existsSync(folder)) return skipped(name, `There is none at ${folder}: no bus of this user has run here.`)
  if (!statSync(folder).isDirectory()) {
    return trouble(name, EXIT.refused, `${folder} is not a folder.`, 'Set BUS_DATA_DIR to one that is.')
  }
  const text = `${folder}: ${url === undefined ? 'no bus runs on it' : `its bus says that it runs at ${url}`}.`
  if (!isOpenToOthers(folder)) return fine(name, text)
  return warning(name, `${text} Other users of this machine can look into it.`, `Run chmod 700 ${folder}.`)
}

/** Only what is wrong is worth a line. */
function checkFile(path: string): Check[] {
  if (!isOpenToOthers(path)) return []
  const cure = `Run chmod 600 ${path}, and make a new secret if somebody may have read it.`
  return [trouble('secrets', EXIT.refused, `Other users of this machine can read ${path}.`, cure)]
}
