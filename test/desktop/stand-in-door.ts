import { spawn, type ChildProcess } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { chromium, type Browser, type Page } from 'playwright'
import { watch, type Door, type Exit, type Launch, type MainFunction } from './door.ts'
import type { DoorAnswer, DoorQuestion } from './electron/door.ts'

const LAUNCHER = fileURLToPath(new URL('./electron/launch.ts', import.meta.url))

/** The command that runs an app in the stand-in. */
export function standInCommand({ app, args }: Launch, recorder: string): readonly [string, ...string[]] {
  return [process.execPath, LAUNCHER, '-r', recorder, app, ...args]
}

/** An app in the stand-in: its main process under Node, its windows in Chromium. */
export class StandInDoor implements Door {
  readonly kind = 'stand-in'
  readonly process: ChildProcess
  readonly exited: Promise<Exit>
  readonly #said: () => string
  readonly #waiting = new Map<number, PromiseWithResolvers<unknown>>()
  readonly #ready = Promise.withResolvers<string>()
  #browser: Browser | undefined
  #lastId = 0

  private constructor(process: ChildProcess) {
    this.process = process
    const { exited, stderr } = watch(process)
    this.exited = exited
    this.#said = stderr
    process.on('message', (answer: DoorAnswer) => this.#receive(answer))
    void exited.then(({ code, signal }) => {
      const error = new Error(`The app ended (${signal ?? code}).\n${stderr()}`)
      this.#ready.reject(error)
      for (const { reject } of this.#waiting.values()) reject(error)
      this.#waiting.clear()
    })
  }

  /** Resolves when the app is ready. Rejects with what it said when it ends before. */
  static async open(launch: Launch, recorder: string): Promise<StandInDoor> {
    const [command, ...args] = standInCommand(launch, recorder)
    const child = spawn(command, args, {
      cwd: launch.app,
      env: launch.env,
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      serialization: 'advanced'
    })
    const door = new StandInDoor(child)
    try {
      door.#browser = await chromium.connectOverCDP(await door.#ready.promise)
    } catch (error) {
      child.kill('SIGKILL')
      await door.exited
      throw new Error(`The app did not come up: ${(error as Error).message}\n${door.stderr}`)
    }
    return door
  }

  get stderr(): string {
    return this.#said()
  }

  evaluate<A, R>(question: MainFunction<A, R>, argument: A): Promise<R> {
    const id = ++this.#lastId
    const waiting = Promise.withResolvers<unknown>()
    if (this.process.exitCode !== null || this.process.signalCode !== null) return Promise.reject(new Error('The app has ended.'))
    this.#waiting.set(id, waiting)
    this.process.send({ id, source: String(question), argument } satisfies DoorQuestion)
    return waiting.promise as Promise<R>
  }

  pages(): readonly Page[] {
    return this.#browser?.contexts().flatMap((context) => context.pages()) ?? []
  }

  async release(): Promise<void> {
    await this.#browser?.close()
  }

  #receive(answer: DoorAnswer): void {
    if (answer.kind === 'ready') {
      this.#ready.resolve(answer.endpoint)
      return
    }
    const waiting = this.#waiting.get(answer.id)
    this.#waiting.delete(answer.id)
    if (answer.kind === 'value') waiting?.resolve(answer.value)
    else waiting?.reject(new Error(answer.message))
  }
}
