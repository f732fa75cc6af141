import type { CustomScheme, Privileges } from 'electron'
import { notImplemented } from './strict.ts'

/**
 * Plain Chromium has no schemes of an app. `app://name/x` is shown to it as `http://name.app.localhost/x`, which is a
 * secure context as the scheme is one in Electron, and whoever asks on this side gets to see `app://` again.
 */

const privileged = new Map<string, Privileges>()

/** Hosts below which Chromium sees schemes: a secure context, and an insecure one. Neither is ever looked up. */
const SECURE = 'localhost'
const INSECURE = 'invalid'

export function registerScheme({ scheme, privileges = {} }: CustomScheme): void {
  privileged.set(scheme, privileges)
}

export function privilegesOf(scheme: string): Privileges {
  return privileged.get(scheme) ?? {}
}

/** How the hosts end of schemes that pages may not `fetch`. */
export function unfetchableHosts(): string[] {
  return [...privileged].flatMap(([scheme, { supportFetchAPI }]) =>
    supportFetchAPI === true ? [] : [`.${scheme}.${SECURE}`, `.${scheme}.${INSECURE}`]
  )
}

/** The URL under which Chromium knows a URL of the app. */
export function toWeb(url: string): string {
  const found = /^([a-z][a-z0-9+.-]*):\/\/([^/?#]*)(.*)$/is.exec(url)
  const privileges = found === null ? undefined : privileged.get(found[1]!.toLowerCase())
  if (found === null || privileges === undefined) return url
  if (privileges.standard !== true) notImplemented(`pages of the scheme ${found[1]}, which is not standard`)
  return `http://${found[2]}.${found[1]!.toLowerCase()}.${privileges.secure === true ? SECURE : INSECURE}${found[3]}`
}

/** The URL that Electron would show for a URL, or an origin, of Chromium's. */
export function fromWeb(url: string): string {
  const found = /^http:\/\/([^/?#]+)\.([a-z0-9+-]+)\.(?:localhost|invalid)(?=[/?#]|$)(.*)$/s.exec(url)
  return found !== null && privileged.has(found[2]!) ? `${found[2]}://${found[1]}${found[3]}` : url
}
