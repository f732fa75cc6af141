import type { ChildProcess } from 'node:child_process'
import type * as Electron from 'electron'
import type { Page } from 'playwright'

/** How the app under test is run. */
export interface Launch {
  /** Folder of the app, with its `package.json`. */
  readonly app: string
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
}

/** How a run ended. */
export interface Exit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

/** A function of a test that runs in the app's main process; it sees nothing of the test but its argument. */
export type MainFunction<A, R> = (electron: typeof Electron, argument: A) => R | Promise<R>

/** A test's way into a running app. */
export interface Door {
  readonly kind: 'stand-in' | 'electron'
  readonly process: ChildProcess
  readonly exited: Promise<Exit>
  /** What it said on standard error so far. */
  readonly stderr: string
  evaluate<A, R>(question: MainFunction<A, R>, argument: A): Promise<R>
  /** The pages of all windows. */
  pages(): readonly Page[]
  /** Lets go of the app, which has ended. */
  release(): Promise<void>
}

/** Collects what a process says, and how it ends. */
export function watch(process: ChildProcess): { readonly exited: Promise<Exit>; readonly stderr: () => string } {
  let text = ''
  process.stdout?.resume()
  process.stderr?.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
  const exited = new Promise<Exit>((resolve) => process.on('exit', (code, signal) => resolve({ code, signal })))
  return { exited, stderr: () => text }
}
