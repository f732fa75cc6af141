import type { Envelope } from '../../../shared/control/transport.ts'
import type { EventFrame } from '../../../shared/control/views.ts'

/** What the desktop app's preload hands to its pages. */
export interface DesktopBridge {
  call(method: string, input: object): Promise<Envelope>
  listen(onFrame: (frame: EventFrame) => void, onState: (isLive: boolean) => void): () => void
  /** Hears where the app wants this page to go: a location hash such as `#/intents/<id>`. */
  onNavigate(callback: (hash: string) => void): void
  /** As in Node: `linux`, `darwin`, `win32`. */
  readonly platform: string
  readonly view: 'window' | 'panel'
}

declare global {
  interface Window {
    /** There in the desktop app, and only there. */
    readonly intentBus?: DesktopBridge
  }
}
