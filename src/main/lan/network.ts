import { hostname, networkInterfaces } from 'node:os'
import type { InterfaceView } from '../../shared/control/network-views.ts'
import { listInterfaces } from './interfaces.ts'
import { findWayOut } from './way-out.ts'

/** The network as this machine sees it at the moment. */
export interface Network {
  hostname(): string
  interfaces(): Promise<readonly InterfaceView[]>
}

export const systemNetwork: Network = {
  hostname,
  interfaces: async () => listInterfaces(networkInterfaces(), await findWayOut())
}
