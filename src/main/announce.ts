import type { Secret } from './secrets.ts'
import type { Service, SharedAs } from './serve.ts'

/** What a person reads when the bus is up: where the interface is, how to log in, a first line to paste. No secret. */
export function greeting(service: Service, reason: string, platform: NodeJS.Platform = process.platform): string {
  const { url, interfaceUrl, shared, mainKey, dashboardPassword } = service
  return `
Intent Bus is running without a window: ${reason}.

  Interface  ${interfaceUrl}
  Log in     user admin, password: ${howToRead(dashboardPassword, platform)}${sharedLines(shared)}
  Publish    ${curl(platform)} ${url}/intent -H "X-API-KEY: ${howToInsert(mainKey, platform)}" -d ${quoteJson('{"goal":"hello","payload":{"n":1}}', platform)}

Stop it with Ctrl+C.
`
}

/** By what other machines find and know the bus; nothing while they do not reach it. */
function sharedLines(shared: SharedAs | undefined): string {
  if (shared === undefined) return ''
  return `
  Shared     ${shared.shared.join(' ')}
  Pin        ${shared.pin}
  Root       ${shared.fingerprint} (SHA-256)`
}

function howToRead({ place }: Secret, platform: NodeJS.Platform): string {
  if (place.in === 'environment') return `the value of ${place.variable}`
  if (place.in === 'elsewhere') return `${place.path} does not hold it; npm start -- --rotate-dashboard-password makes a new one`
  return platform === 'win32' ? `Get-Content "${place.path}"` : `cat ${quote(place.path)}`
}

/** A piece of shell inside double quotes that reads the key where it is. */
function howToInsert({ place }: Secret, platform: NodeJS.Platform): string {
  if (place.in === 'environment') return platform === 'win32' ? `$env:${place.variable}` : `$${place.variable}`
  if (place.in === 'elsewhere') return '<the main key; npm start -- --rotate-main-key makes a new one>'
  return platform === 'win32' ? `$(Get-Content '${place.path}')` : `$(cat ${quote(place.path)})`
}

function curl(platform: NodeJS.Platform): string {
  return platform === 'win32' ? 'curl.exe' : 'curl'
}

function quoteJson(json: string, platform: NodeJS.Platform): string {
  return platform === 'win32' ? `'${json.replaceAll('"', '\\"')}'` : `'${json}'`
}

/** For a POSIX shell, only where needed. */
function quote(path: string): string {
  return /^[A-Za-z0-9_./~-]+$/.test(path) ? path : `'${path.replaceAll("'", `'\\''`)}'`
}
