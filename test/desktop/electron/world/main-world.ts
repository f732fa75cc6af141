import type { connectWorlds as ConnectWorlds, Crossing } from './crossing.ts'
import type { createWire as CreateWire } from './wire.ts'

/** What the isolated world does for the main one; the numbers by which the main world calls it. */
export const FROM_MAIN = { requestPermission: 0, checkPermission: 1, writeClipboard: 2, readClipboard: 3 } as const
/** What the main world does for the isolated one. */
export const FROM_ISOLATED = { expose: 0 } as const

interface Prototype {
  readonly prototype: object
}

/** What of a page's main world is touched; this project is type-checked without the DOM. */
interface MainWorld {
  readonly navigator: object
  readonly Clipboard?: Prototype
  readonly Permissions?: Prototype
  readonly Geolocation?: Prototype
  readonly MediaDevices?: Prototype
  readonly Notification?: Prototype
  readonly DOMException: new (message: string, name: string) => Error
  fetch(target: unknown, options?: unknown): Promise<unknown>
  readonly location: { readonly href: string }
}

/**
 * The main world's part: puts there what a preload exposes, and takes questions for permissions to the app, which
 * decides on them in Electron as Chromium's own prompts do elsewhere.
 *
 * Runs in pages, where it is sent as text.
 */
export function startMainWorld(
  world: object,
  names: { readonly own: string; readonly other: string },
  ids: typeof FROM_MAIN,
  /** Hosts by which Chromium knows schemes that `fetch` does not. */
  unfetchable: readonly string[],
  createWire: typeof CreateWire,
  connectWorlds: typeof ConnectWorlds
): void {
  const page = world as MainWorld
  const { Clipboard, Permissions, Geolocation, MediaDevices, Notification, DOMException } = page
  const crossing: Crossing = connectWorlds(world, names, createWire, [expose])

  function expose(key: unknown, api: unknown): void {
    const name = key as string
    if (name in world) throw new Error('Cannot bind an API on top of an existing property on the window object')
    Object.defineProperty(world, name, { value: freeze(api), enumerable: true })
  }

  function freeze(value: unknown): unknown {
    if (typeof value === 'object' && value !== null && !ArrayBuffer.isView(value)) {
      for (const part of Object.values(value)) freeze(part)
      Object.freeze(value)
    }
    return value
  }

  function isGranted(permission: string): Promise<boolean> {
    return crossing.call(ids.requestPermission, [permission]) as Promise<boolean>
  }

  function refusal(what: string): Error {
    return new DOMException(`${what} permission denied.`, 'NotAllowedError')
  }

  function override(owner: Prototype | undefined, methods: Record<string, (...args: never[]) => unknown>): void {
    for (const [name, value] of Object.entries(methods)) {
      if (owner !== undefined) Object.defineProperty(owner.prototype, name, { value, writable: true, configurable: true })
    }
  }

  // The network cannot tell `fetch` from XMLHttpRequest, which takes every scheme.
  const { fetch } = page
  page.fetch = async (target, options) => {
    const address = target as { readonly url?: string }
    const { host } = new URL(address.url ?? String(target), page.location.href)
    if (unfetchable.some((suffix) => host.endsWith(suffix))) throw new TypeError('Failed to fetch')
    return fetch(target, options)
  }

  override(Clipboard, {
    async writeText(text: string) {
      if (!(await isGranted('clipboard-sanitized-write'))) throw refusal('Write')
      await crossing.call(ids.writeClipboard, [String(text)])
    },
    async readText() {
      if (!(await isGranted('clipboard-read'))) throw refusal('Read')
      return crossing.call(ids.readClipboard, [])
    }
  })
  override(Permissions, {
    async query({ name }: { readonly name: string }) {
      const known: Record<string, string> = { 'clipboard-write': 'clipboard-sanitized-write', camera: 'media', microphone: 'media' }
      const isAllowed = await crossing.call(ids.checkPermission, [known[name] ?? name])
      return { name, state: isAllowed === true ? 'granted' : 'denied', onchange: null }
    }
  })
  override(Geolocation, {
    getCurrentPosition(_found: unknown, failed?: (error: { readonly code: number; readonly message: string }) => void) {
      // A granted position still cannot be found: there is no such device.
      void isGranted('geolocation').then((isAllowed) =>
        failed?.(isAllowed ? { code: 2, message: 'Position unavailable' } : { code: 1, message: 'User denied Geolocation' })
      )
    }
  })
  override(MediaDevices, {
    async getUserMedia() {
      if (!(await isGranted('media'))) throw refusal('Media')
      throw new DOMException('Requested device not found', 'NotFoundError')
    }
  })
  if (Notification !== undefined) {
    const requestPermission = async () => ((await isGranted('notifications')) ? 'granted' : 'denied')
    Object.defineProperty(Notification, 'requestPermission', { value: requestPermission, writable: true, configurable: true })
  }
}
