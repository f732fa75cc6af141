import { execFile, type ChildProcess } from 'node:child_process'
import { setTimeout as pause } from 'node:timers/promises'

/** Milliseconds that a program gets to end by itself. */
const GRACE_MS = 5_000
const LOOK_MS = 50

/** A program with all that it started. It must have been spawned `detached`, so that it leads a group of its own. */
export class ProcessGroup {
  readonly #leader: ChildProcess
  #ending: Promise<void> | undefined

  constructor(leader: ChildProcess) {
    this.#leader = leader
  }

  /** Asks all of it to end, and makes it end after five seconds. Resolves when it is gone. */
  end(): Promise<void> {
    this.#ending ??= this.#end()
    return this.#ending
  }

  /** Ends all of it at once. */
  kill(): void {
    this.#send('SIGKILL')
  }

  async #end(): Promise<void> {
    this.#send('SIGTERM')
    for (let waited = 0; waited < GRACE_MS; waited += LOOK_MS) {
      if (!this.#isThere()) return
      await pause(LOOK_MS)
    }
    this.kill()
  }

  #isThere(): boolean {
    return this.#send(0)
  }

  /** False when there is nobody left. */
  #send(signal: NodeJS.Signals | 0): boolean {
    const { pid } = this.#leader
    if (pid === undefined) return false
    try {
      if (process.platform !== 'win32') return process.kill(-pid, signal)
      // Windows has neither groups nor signals, but a command that ends a tree of processes.
      if (signal !== 0) execFile('taskkill', ['/pid', String(pid), '/t', '/f'])
      return this.#leader.exitCode === null
    } catch {
      return false
    }
  }
}
