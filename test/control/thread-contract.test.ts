import { contractSuite } from './contract.ts'
import { threadRig } from './thread-rig.ts'

contractSuite("the desktop's messages", threadRig)
