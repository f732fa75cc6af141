import type { CustomScheme, Protocol } from 'electron'
import { requireNotReady, requireReady } from './readiness.ts'
import { registerScheme } from './schemes.ts'
import { StrictObject } from './strict.ts'

type Handler = Parameters<Protocol['handle']>[1]

const handlers = new Map<string, Handler>()

/** The answer of the app to a request for one of its schemes; undefined when nobody handles the scheme. */
export async function answerOf(scheme: string, request: Request): Promise<Response | undefined> {
  const handler = handlers.get(scheme)
  // Node's requests are those of the web, which Electron's types are made of.
  return handler === undefined ? undefined : ((await handler(request as never)) as unknown as Response)
}

class StandInProtocol extends StrictObject implements Pick<Protocol, 'handle' | 'registerSchemesAsPrivileged'> {
  registerSchemesAsPrivileged(schemes: CustomScheme[]): void {
    requireNotReady('protocol.registerSchemesAsPrivileged should be called before app is ready')
    for (const scheme of schemes) {
      if (typeof scheme?.scheme !== 'string') throw new TypeError('A custom scheme has a name.')
      registerScheme(scheme)
    }
  }

  handle(scheme: string, handler: Handler): void {
    requireReady('The protocol module can only be used after the app is ready')
    if (handlers.has(scheme)) throw new Error(`Failed to register protocol: ${scheme}`)
    handlers.set(scheme, handler)
  }

}

export const protocol = new StandInProtocol()
