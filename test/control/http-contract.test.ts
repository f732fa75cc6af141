import { contractSuite } from './contract.ts'
import { httpRig } from './http-rig.ts'

contractSuite('HTTP', httpRig)
