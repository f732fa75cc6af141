import type { DesktopBridge } from '../../../shared/control/bridge.ts'

declare global {
  interface Window {
    /** There in the desktop app, and only there. */
    readonly intentBus?: DesktopBridge
  }
}
