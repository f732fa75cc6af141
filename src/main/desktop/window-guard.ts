import { app, session, type WebContents } from 'electron'
import type { Log } from '../log.ts'
import { isOwnUrl, placeInWindow } from './origin.ts'
import type { OwnWindows } from './own-windows.ts'

export interface WindowGuardOptions {
  readonly windows: OwnWindows
  readonly log: Log
  /** Shows a place in the main window. */
  readonly open: (hash: string) => void
}

/**
 * Keeps every page where it belongs: no permissions, no other origins, no new windows. What a page opens of the
 * interface itself is shown in the main window.
 */
export function guardWindows(options: WindowGuardOptions): void {
  denyPermissions()
  app.on('web-contents-created', (_event, contents) => guard(contents, options))
}

function denyPermissions(): void {
  const { defaultSession } = session
  // Copying is what the interface needs; a page may do so only in answer to a click or a key.
  defaultSession.setPermissionRequestHandler((_contents, permission, grant, { requestingUrl }) =>
    grant(permission === 'clipboard-sanitized-write' && isOwnUrl(requestingUrl))
  )
  defaultSession.setPermissionCheckHandler(
    (_contents, permission, origin) => permission === 'clipboard-sanitized-write' && isOwnUrl(origin)
  )
  defaultSession.setDevicePermissionHandler(() => false)
}

function guard(contents: WebContents, { windows, log, open }: WindowGuardOptions): void {
  function refuse(what: string, url: string): void {
    log.warn({ url: url.slice(0, 200) }, `${what} was refused`)
  }

  function leave(event: { preventDefault(): void }, url: string): void {
    const place = placeInWindow(url)
    if (windows.viewOf(contents) === 'window' && place !== undefined) return
    event.preventDefault()
    if (place === undefined) refuse('leaving the interface', url)
    else open(place)
  }

  contents.on('will-navigate', (event) => leave(event, event.url))
  contents.on('will-frame-navigate', (event) => {
    if (event.isMainFrame) return
    event.preventDefault()
    refuse('a frame', event.url)
  })
  contents.on('will-redirect', (event) => {
    event.preventDefault()
    refuse('a redirection', event.url)
  })
  contents.on('will-attach-webview', (event) => {
    event.preventDefault()
    refuse('a webview', contents.getURL())
  })
  contents.setWindowOpenHandler(({ url }) => {
    const place = placeInWindow(url)
    if (place === undefined) refuse('a new window', url)
    else open(place)
    return { action: 'deny' }
  })
}
