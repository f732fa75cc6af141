import type { Session } from 'electron'
import { protocol } from './protocol.ts'
import { requireReady } from './readiness.ts'
import { StrictEmitter, StrictObject } from './strict.ts'

type RequestHandler = NonNullable<Parameters<Session['setPermissionRequestHandler']>[0]>
type CheckHandler = NonNullable<Parameters<Session['setPermissionCheckHandler']>[0]>

/** What a page that asks for a permission is known by. */
export interface Asker {
  readonly contents: object
  readonly isMainFrame: boolean
  readonly requestingUrl: string
}

let requestHandler: RequestHandler | null = null
let checkHandler: CheckHandler | null = null

/** Storage and permissions of pages. All pages share one: partitions are not implemented. */
class StandInSession extends StrictEmitter implements Pick<Session, 'setPermissionRequestHandler' | 'setPermissionCheckHandler' | 'setDevicePermissionHandler'> {
  readonly protocol = protocol

  setPermissionRequestHandler(handler: RequestHandler | null): void {
    requestHandler = handler
  }

  setPermissionCheckHandler(handler: CheckHandler | null): void {
    checkHandler = handler
  }

  /** No page of the stand-in finds a device, so nobody is ever asked. */
  setDevicePermissionHandler(_handler: Parameters<Session['setDevicePermissionHandler']>[0]): void {}
}

const defaultSession = new StandInSession()

class SessionModule extends StrictObject {
  get defaultSession(): StandInSession {
    requireReady('Session can only be received when app is ready')
    return defaultSession
  }

}

export const session = new SessionModule()

/** Asks the app as a page's request for a permission does. Without a handler Electron grants all. */
export function requestPermission(permission: string, { contents, ...details }: Asker, more: object = {}): Promise<boolean> {
  if (requestHandler === null) return Promise.resolve(true)
  return new Promise((resolve) => {
    requestHandler!(contents as never, permission as never, resolve, { ...details, ...more })
  })
}

/** Asks the app as a page's look at a permission does. */
export function checkPermission(permission: string, { contents, ...details }: Asker): boolean {
  if (checkHandler === null) return true
  return checkHandler(contents as never, permission as never, `${new URL(details.requestingUrl).protocol}//${new URL(details.requestingUrl).host}/`, details)
}
