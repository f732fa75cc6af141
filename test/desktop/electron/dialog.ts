import type { Dialog, MessageBoxReturnValue } from 'electron'
import { requireReady } from './readiness.ts'
import { StrictObject } from './strict.ts'

/** Questions to a user who is not there: tests put answers in their place, and without one a question stays open. */
class StandInDialog extends StrictObject implements Record<keyof Pick<Dialog, 'showMessageBox' | 'showErrorBox'>, unknown> {
  showMessageBox(): Promise<MessageBoxReturnValue> {
    requireReady('dialog module can only be used after app is ready')
    return new Promise(() => {})
  }

  /** On Linux it goes to standard error while the app is not ready. */
  showErrorBox(title: string, content: string): void {
    if (typeof title !== 'string' || typeof content !== 'string') throw new TypeError('Title and content must be strings')
    process.stderr.write(`${title}\n${content}\n`)
  }
}

export const dialog = new StandInDialog()
