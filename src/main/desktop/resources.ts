import { join } from 'node:path'
import { app } from 'electron'

/** A file of `resources/`, which lies beside the build also in the packaged app. */
export function resource(name: string): string {
  return join(app.getAppPath(), 'resources', name)
}

/** A file or folder of the build. */
export function built(name: string): string {
  return join(app.getAppPath(), 'out', name)
}
