import { fileURLToPath } from 'node:url'

/** What was built beside the bus, for it to hand out. */
export interface Built {
  /** The folder of the interface. */
  readonly interfaceDirectory: string
  /** The client as an npm package. */
  readonly clientPackage: string
}

/** Where it lies for an entry of the build, given by its `import.meta.url`. */
export function builtBeside(entry: string): Built {
  return {
    interfaceDirectory: fileURLToPath(new URL('../renderer', entry)),
    clientPackage: fileURLToPath(new URL('../intent-bus-client.tgz', entry))
  }
}
