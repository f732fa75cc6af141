import { Worker } from 'node:worker_threads'
import type { Flaw } from './check.ts'

/** What the thread of backups does: copies a database to `path` and checks the copy, or checks the one that is there. */
export type BackupTask =
  | { readonly kind: 'copy'; readonly source: string; readonly path: string }
  | { readonly kind: 'check'; readonly path: string }

export type TaskResult =
  /** It was carried out; `flaw` is null where the database is good. */
  | { readonly kind: 'done'; readonly flaw: Flaw | null }
  /** It was not, which says nothing about the database; why, as half a sentence. */
  | { readonly kind: 'failed'; readonly reason: string }

/** A task that is carried out. */
export interface RunningTask {
  /** Never rejects. */
  readonly result: Promise<TaskResult>
  /** Gives it up. */
  stop(): Promise<void>
}

/** Runs a task in a thread of its own, whose module is `entry`: it may be gone since an update of the app, or too large for the memory. */
export function runTask(entry: URL, task: BackupTask): RunningTask {
  try {
    const worker = new Worker(entry, { workerData: task, name: 'backup' })
    worker.unref()
    return {
      result: resultOf(worker),
      async stop() {
        await worker.terminate()
      }
    }
  } catch (error) {
    // A system that has no more threads says so at once.
    return { result: Promise.resolve(failed(reasonOf(error))), async stop() {} }
  }
}

function resultOf(worker: Worker): Promise<TaskResult> {
  const { promise, resolve } = Promise.withResolvers<TaskResult>()
  worker.on('message', (result: TaskResult) => resolve(result))
  worker.on('error', (error) => resolve(failed(reasonOf(error))))
  worker.on('exit', () => resolve(failed('its thread ended')))
  return promise
}

function failed(reason: string): TaskResult {
  return { kind: 'failed', reason }
}

function reasonOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException
  return `its thread could not run (${code ?? message}); start the bus again`
}
