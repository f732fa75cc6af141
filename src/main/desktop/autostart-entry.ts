import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { APP_ID, APP_NAME } from '../app-info.ts'

/** The file by which a Linux desktop starts the app at login (XDG autostart). */
export function autostartPath(env: Readonly<Record<string, string | undefined>>): string {
  return join(env.XDG_CONFIG_HOME || join(homedir(), '.config'), 'autostart', `${APP_ID}.desktop`)
}

/** Writes or removes the file, if it is not as it should be. Throws where that is not possible. */
export function setAutostart(path: string, command: readonly string[] | undefined): void {
  if (command === undefined) {
    rmSync(path, { force: true })
    return
  }
  const entry = autostartEntry(command)
  if (readText(path) === entry) return
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, entry)
}

/** The content of the file, for a program and its arguments. */
export function autostartEntry(command: readonly string[]): string {
  return `[Desktop Entry]
Type=Application
Name=${APP_NAME}
Comment=Runs the bus in the background
Exec=${command.map(quote).join(' ')}
Terminal=false
X-GNOME-Autostart-enabled=true
`
}

/** An argument of Exec is a quoted string within a value that has escapes of its own, and `%` begins a field code. */
function quote(argument: string): string {
  const plain = /^[A-Za-z0-9_./:=@+-]+$/
  if (plain.test(argument)) return argument
  const quoted = `"${argument.replace(/["`$\\]/g, '\\$&')}"`
  // A line of its own would be another key of the file.
  return quoted.replaceAll('\\', '\\\\').replaceAll('%', '%%').replaceAll('\n', '\\n').replaceAll('\r', '\\r')
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}
