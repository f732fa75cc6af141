import type { ChildProcess } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { _electron, type ElectronApplication, type Page } from 'playwright'
import { watch, type Door, type Exit, type Launch, type MainFunction } from './door.ts'

/** Electron's own program; undefined where it is not installed. It is never fetched from here. */
export function findElectron(): string | undefined {
  const folder = dirname(createRequire(import.meta.url).resolve('electron/package.json'))
  const named = join(folder, 'path.txt')
  const program = existsSync(named) ? readFileSync(named, 'utf8') : 'electron'
  const path = join(process.env.ELECTRON_OVERRIDE_DIST_PATH ?? join(folder, 'dist'), program)
  return existsSync(path) ? path : undefined
}

/** The arguments with which Electron runs an app. */
export function electronArguments({ app, args }: Launch, recorder: string): string[] {
  // Chromium's sandbox does not work for root on Linux.
  const sandbox = process.getuid?.() === 0 ? ['--no-sandbox'] : []
  return [...sandbox, '-r', recorder, app, ...args]
}

/** An app in Electron itself. */
export class ElectronDoor implements Door {
  readonly kind = 'electron'
  readonly process: ChildProcess
  readonly exited: Promise<Exit>
  readonly #app: ElectronApplication
  readonly #said: () => string

  private constructor(app: ElectronApplication) {
    this.#app = app
    this.process = app.process()
    const { exited, stderr } = watch(this.process)
    this.exited = exited
    this.#said = stderr
  }

  static async open(executablePath: string, launch: Launch, recorder: string): Promise<ElectronDoor> {
    const args = electronArguments(launch, recorder)
    return new ElectronDoor(await _electron.launch({ executablePath, args, cwd: launch.app, env: { ...launch.env } }))
  }

  get stderr(): string {
    return this.#said()
  }

  evaluate<A, R>(question: MainFunction<A, R>, argument: A): Promise<R> {
    return this.#app.evaluate(question as never, argument as never) as Promise<R>
  }

  pages(): readonly Page[] {
    return this.#app.windows()
  }

  async release(): Promise<void> {}
}
