import { StrictEmitter } from './strict.ts'

/** What happens to the machine; tests emit it. */
class PowerMonitor extends StrictEmitter {
  static override readonly events = ['suspend', 'resume', 'shutdown', 'lock-screen', 'unlock-screen', 'on-ac', 'on-battery']
}

export const powerMonitor = new PowerMonitor()
