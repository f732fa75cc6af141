import type { Worker } from 'node:worker_threads'
import type { MessageBoxOptions, MessageBoxReturnValue, MenuItem, Notification, Tray } from 'electron'

/** What `recorder.cjs` keeps in the main process. */
export interface DesktopRecord {
  readonly tray: Tray | null
  readonly toolTip: string
  readonly menu: { readonly items: readonly MenuItem[] } | null
  readonly notifications: readonly Notification[]
  /** Dialogs that are open, oldest first. */
  readonly questions: { readonly options: MessageBoxOptions; resolve(answer: MessageBoxReturnValue): void }[]
  readonly errors: readonly { readonly title: string; readonly content: string }[]
  readonly opened: readonly string[]
  /** Threads that were started, oldest first. */
  readonly threads: readonly Worker[]
  readonly shortcuts: ReadonlyMap<string, () => void>
}
