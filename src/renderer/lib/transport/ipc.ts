import type { DesktopBridge } from '../../../shared/control/bridge.ts'
import type { Input, MethodName, Output } from '../../../shared/control/contract.ts'
import { ControlError, type ControlTransport } from '../../../shared/control/transport.ts'
import type { EventFrame } from '../../../shared/control/event-frame.ts'

/** The contract over the desktop app's door. It works when the bus has no port, and when there is no bus. */
export class IpcTransport implements ControlTransport {
  readonly #bridge: DesktopBridge

  constructor(bridge: DesktopBridge) {
    this.#bridge = bridge
  }

  async call<M extends MethodName>(method: M, input: Input<M>): Promise<Output<M>> {
    const envelope = await this.#bridge.call(method, input)
    if (envelope.ok) return envelope.value as Output<M>
    throw new ControlError(envelope.error)
  }

  listen(onFrame: (frame: EventFrame) => void, onState: (isLive: boolean) => void): () => void {
    return this.#bridge.listen(onFrame, onState)
  }
}
