import { fileURLToPath } from 'node:url'

/** What was built beside the bus, for it to hand out. */
export interface Built {
  /** The folder of the interface. */
  readonly interfaceDirectory: string
  /** The client as an npm package. */
  readonly clientPackage: string
  /** The module of the thread that announces the bus on its network. */
  readonly announcerEntry: URL
  /** The module of the thread that makes backups. */
  readonly backupEntry: URL
}

/** Where it lies for an entry of the build, given by its `import.meta.url`. */
export function builtBeside(entry: string): Built {
  return {
    interfaceDirectory: fileURLToPath(new URL('../renderer', entry)),
    clientPackage: fileURLToPath(new URL('../intent-bus-client.tgz', entry)),
    announcerEntry: new URL('./announcer.js', entry),
    backupEntry: new URL('./backup-thread.js', entry)
  }
}
