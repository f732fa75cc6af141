import { PROTOCOL_VERSION } from '../../../shared/limits.ts'
import type { Action } from '../command.ts'
import { EXIT } from '../exit.ts'
import { ownVersion } from '../version.ts'

export const version: Action = {
  name: 'version',
  summary: 'print the version',
  usage: '',
  arity: { min: 0, max: 0 },
  options: [],

  async run({ output }) {
    const own = ownVersion()
    if (output.isJson) await output.json({ version: own, protocol: PROTOCOL_VERSION, node: process.versions.node })
    else await output.line(`intent-bus ${own}, Intent Protocol ${PROTOCOL_VERSION}, Node ${process.versions.node}`)
    return EXIT.done
  }
}
