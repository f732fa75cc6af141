import type { connectWorlds as ConnectWorlds } from './crossing.ts'
import type { FROM_ISOLATED } from './main-world.ts'
import type { createWire as CreateWire, Wire } from './wire.ts'

/** From a page to the main process. `url` is where the page really is, whatever its scripts say. */
export type FromPage = { readonly url: string } & (
  | { readonly kind: 'invoke'; readonly id: number; readonly channel: string; readonly args: unknown }
  | { readonly kind: 'send'; readonly channel: string; readonly args: unknown }
  | { readonly kind: 'ask'; readonly id: number; readonly question: Question; readonly argument: string }
  | { readonly kind: 'input'; readonly input: KeyInput }
  | { readonly kind: 'preload-error'; readonly message: string }
)

export type Question = 'request-permission' | 'check-permission' | 'write-clipboard' | 'read-clipboard'

/** To a page. */
export type ToPage =
  | { readonly kind: 'message'; readonly channel: string; readonly args: unknown }
  | { readonly kind: 'reply'; readonly id: number; readonly value: unknown }
  | { readonly kind: 'refusal'; readonly id: number; readonly message: string }

export interface KeyInput {
  readonly type: 'keyDown' | 'keyUp'
  readonly key: string
  readonly code: string
  readonly isAutoRepeat: boolean
  readonly shift: boolean
  readonly control: boolean
  readonly alt: boolean
  readonly meta: boolean
}

export interface IsolatedConfig {
  readonly names: { readonly own: string; readonly other: string }
  /** The function by which this world reaches the main process, and the one by which it is reached. */
  readonly binding: string
  readonly receiver: string
  readonly expose: (typeof FROM_ISOLATED)['expose']
  /** Preloads run in the page itself, not in what it frames, unless the app wants that. */
  readonly isPreloadedInFrames: boolean
  /** What sandboxed preloads see as `process`. */
  readonly process: object
}

type Preload = (require: (name: string) => unknown, module: { exports: object }, exports: object, process: object) => void
type Listener = (event: object, ...args: unknown[]) => void

interface IsolatedWorld {
  readonly location: { readonly href: string }
  readonly top: unknown
  addEventListener(type: string, listener: (event: KeyboardLike) => void, isCapturing: boolean): void
  readonly [name: string]: unknown
}

interface KeyboardLike {
  readonly key: string
  readonly code: string
  readonly repeat: boolean
  readonly shiftKey: boolean
  readonly ctrlKey: boolean
  readonly altKey: boolean
  readonly metaKey: boolean
}

/**
 * The isolated world of a frame: runs the app's preload with what a sandboxed preload gets from Electron.
 *
 * Runs in pages, where it is sent as text.
 */
export function startIsolatedWorld(
  page: object,
  config: IsolatedConfig,
  createWire: typeof CreateWire,
  connectWorlds: typeof ConnectWorlds,
  preload: Preload | undefined
): void {
  const world = page as IsolatedWorld
  const post = world[config.binding] as (text: string) => void
  const wire: Wire = createWire()
  const waiting = new Map<number, PromiseWithResolvers<unknown>>()
  let lastId = 0

  function tell(message: object): void {
    post(JSON.stringify({ url: world.location.href, ...message }))
  }

  function request(message: object): Promise<unknown> {
    const id = ++lastId
    const reply = Promise.withResolvers<unknown>()
    waiting.set(id, reply)
    tell({ id, ...message })
    return reply.promise
  }

  /** What passes to the main process: a copy, as of `structuredClone`, which refuses functions and the like. */
  function copy(args: readonly unknown[]): unknown {
    try {
      return wire.encode(structuredClone(args))
    } catch {
      throw new Error('An object could not be cloned.')
    }
  }

  class IpcRenderer {
    readonly #listeners = new Map<string, { readonly listener: Listener; readonly isOnce: boolean }[]>()

    on(channel: string, listener: Listener): this {
      return this.#add(channel, listener, false)
    }

    addListener(channel: string, listener: Listener): this {
      return this.#add(channel, listener, false)
    }

    once(channel: string, listener: Listener): this {
      return this.#add(channel, listener, true)
    }

    off(channel: string, listener: Listener): this {
      const rest = (this.#listeners.get(channel) ?? []).filter((entry) => entry.listener !== listener)
      this.#listeners.set(channel, rest)
      return this
    }

    removeListener(channel: string, listener: Listener): this {
      return this.off(channel, listener)
    }

    removeAllListeners(channel: string): this {
      this.#listeners.delete(channel)
      return this
    }

    send(channel: string, ...args: unknown[]): void {
      tell({ kind: 'send', channel, args: copy(args) })
    }

    async invoke(channel: string, ...args: unknown[]): Promise<unknown> {
      const message = { kind: 'invoke', channel, args: copy(args) }
      try {
        return await request(message)
      } catch (error) {
        throw new Error(`Error invoking remote method '${channel}': ${(error as Error).message}`)
      }
    }

    /** Only for the stand-in: hands out what came from the main process. */
    static deliver(renderer: IpcRenderer, channel: string, args: readonly unknown[]): void {
      for (const { listener, isOnce } of [...(renderer.#listeners.get(channel) ?? [])]) {
        if (isOnce) renderer.off(channel, listener)
        listener({ sender: renderer, ports: [] }, ...args)
      }
    }

    #add(channel: string, listener: Listener, isOnce: boolean): this {
      if (typeof listener !== 'function') throw new TypeError('The "listener" argument must be of type function.')
      this.#listeners.set(channel, [...(this.#listeners.get(channel) ?? []), { listener, isOnce }])
      return this
    }
  }

  const ipcRenderer = new IpcRenderer()

  function receive(text: string): void {
    const message = JSON.parse(text) as ToPage
    if (message.kind === 'message') {
      IpcRenderer.deliver(ipcRenderer, message.channel, wire.decode(message.args) as unknown[])
      return
    }
    const reply = waiting.get(message.id)
    waiting.delete(message.id)
    if (message.kind === 'reply') reply?.resolve(wire.decode(message.value))
    else reply?.reject(new Error(message.message))
  }

  const ask = (question: Question) => (argument: unknown) => request({ kind: 'ask', question, argument: String(argument) })
  const crossing = connectWorlds(world, config.names, createWire, [
    ask('request-permission'),
    ask('check-permission'),
    ask('write-clipboard'),
    ask('read-clipboard')
  ])

  const contextBridge = {
    exposeInMainWorld(key: string, api: unknown): void {
      if (typeof key !== 'string') throw new TypeError('The key of an API is a string.')
      crossing.call(config.expose, [key, api])
    }
  }

  /** What the stand-in has; asking for more is refused where real Electron would have it, too. */
  function strict<T extends object>(name: string, object: T): T {
    return new Proxy(object, {
      get(target, key) {
        if (typeof key === 'symbol' || key in target || key === 'then' || key === 'toJSON') {
          const value: unknown = Reflect.get(target, key)
          return typeof value === 'function' ? value.bind(target) : value
        }
        throw new Error(`The stand-in for Electron does not implement ${name}.${key} of preloads.`)
      }
    })
  }

  const electron = strict('electron', { contextBridge: strict('contextBridge', contextBridge), ipcRenderer: strict('ipcRenderer', ipcRenderer) })

  function require(name: string): unknown {
    if (['electron', 'electron/common', 'electron/renderer'].includes(name)) return electron
    if (/^(node:)?(events|timers|url)$/.test(name)) {
      throw new Error(`The stand-in for Electron does not implement require('${name}') of preloads.`)
    }
    throw new Error(`module not found: ${name}`)
  }

  for (const [event, type] of [['keydown', 'keyDown'], ['keyup', 'keyUp']] as const) {
    const report = ({ key, code, repeat, shiftKey, ctrlKey, altKey, metaKey }: KeyboardLike) => {
      const modifiers = { shift: shiftKey, control: ctrlKey, alt: altKey, meta: metaKey }
      tell({ kind: 'input', input: { type, key, code, isAutoRepeat: repeat, ...modifiers } })
    }
    world.addEventListener(event, report, true)
  }

  Object.defineProperty(world, config.receiver, { value: receive })
  if (preload === undefined || (world.top !== world && !config.isPreloadedInFrames)) return
  const module = { exports: {} }
  try {
    preload(require, module, module.exports, strict('process', config.process))
  } catch (error) {
    tell({ kind: 'preload-error', message: String(error) })
  }
}
