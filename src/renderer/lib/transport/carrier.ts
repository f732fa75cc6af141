import type { DesktopBridge } from '../../../shared/control/bridge.ts'
import type { ControlTransport } from '../../../shared/control/transport.ts'
import { HttpTransport, type BrowserSession } from './http.ts'
import { IpcTransport } from './ipc.ts'

/** How this page reaches the bus. */
export interface Carrier {
  readonly transport: ControlTransport
  /** null in the desktop app: whoever sits there needs no login. */
  readonly session: BrowserSession | null
  /** null in a browser. */
  readonly desktop: DesktopBridge | null
}

export function findCarrier(): Carrier {
  const desktop = window.intentBus
  if (desktop !== undefined) return { transport: new IpcTransport(desktop), session: null, desktop }
  const transport = new HttpTransport(document.baseURI)
  return { transport, session: transport, desktop: null }
}
