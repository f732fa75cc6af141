import type { ControlTransport, Envelope } from './transport.ts'

/** All that pages of the desktop app get beside the web's own: the control contract, and where to go. */
export interface DesktopBridge {
  call(method: string, input: object): Promise<Envelope>
  readonly listen: ControlTransport['listen']
  /** Hears where the app wants this page to go: a location hash such as `#/intents/<id>`. */
  onNavigate(callback: (hash: string) => void): void
  /** As in Node: `linux`, `darwin`, `win32`. */
  readonly platform: string
  readonly view: 'window' | 'panel'
}
