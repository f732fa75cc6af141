import { Worker } from 'node:worker_threads'
import type { Flaw } from './check.ts'

/** What the thread of backups does: copies a database to `path` and checks the copy, or checks the one that is there. */
export type BackupTask =
  | { readonly kind: 'copy'; readonly source: string; readonly path: string }
  | { readonly kind: 'check'; readonly path: string }

export interface TaskResult {
  /** null when all went well and the database is good. */
  readonly flaw: Flaw | null
}

/** Runs a task in a thread of its own, whose module is `entry`. Never rejects; `stop` gives it up. */
export function runTask(entry: URL, task: BackupTask): { readonly result: Promise<TaskResult>; stop(): Promise<void> } {
  const worker = new Worker(entry, { workerData: task, name: 'backup' })
  worker.unref()
  const { promise, resolve } = Promise.withResolvers<TaskResult>()
  const fail = (text: string): void => resolve({ flaw: { text, isDamaged: false } })
  worker.on('message', (result: TaskResult) => resolve(result))
  worker.on('error', (error) => fail((error as Error).message))
  worker.on('exit', () => fail('its thread ended'))
  return {
    result: promise,
    async stop() {
      await worker.terminate()
    }
  }
}
