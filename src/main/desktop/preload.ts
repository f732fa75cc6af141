import { contextBridge, ipcRenderer } from 'electron'
import type { DesktopBridge } from '../../shared/control/bridge.ts'
import type { Envelope } from '../../shared/control/transport.ts'
import type { EventFrame } from '../../shared/control/event-frame.ts'

declare const location: { readonly pathname: string }

interface Listener {
  readonly onFrame: (frame: EventFrame) => void
  readonly onState: (isLive: boolean) => void
}

const listeners = new Set<Listener>()

ipcRenderer.on('control:frame', (_event, frame: EventFrame) => {
  for (const { onFrame } of [...listeners]) onFrame(frame)
})
ipcRenderer.on('control:state', (_event, isLive: boolean) => {
  for (const { onState } of [...listeners]) onState(isLive)
})

const bridge: DesktopBridge = {
  call: (method, input) => ipcRenderer.invoke('control:call', method, input) as Promise<Envelope>,

  /** Every new listener hears a first frame, and the others, to whom it says nothing new, hear it with it. */
  listen(onFrame, onState) {
    const listener = { onFrame, onState }
    listeners.add(listener)
    void ipcRenderer.invoke('control:listen')
    return () => {
      const wasThere = listeners.delete(listener)
      if (wasThere && listeners.size === 0) void ipcRenderer.invoke('control:unlisten')
    }
  },

  onNavigate(callback) {
    ipcRenderer.on('navigate', (_event, hash: string) => callback(hash))
  },

  platform: process.platform,
  view: location.pathname === '/panel.html' ? 'panel' : 'window'
}

contextBridge.exposeInMainWorld('intentBus', bridge)
