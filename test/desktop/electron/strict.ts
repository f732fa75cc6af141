import { EventEmitter } from 'node:events'

/** What runtimes ask any object for, without meaning Electron. */
const ASKED_OF_ANYTHING: ReadonlySet<string> = new Set(['then', 'toJSON'])

/** Refuses what real Electron may have, but this stand-in has not: a test must not pass because nothing happened. */
export function notImplemented(name: string): never {
  throw new Error(`The stand-in for Electron does not implement ${name}.`)
}

/** The end of a prototype chain at which unknown members are refused instead of being undefined. */
function fence<T extends object>(end: T): T {
  const isKnown = (key: string | symbol) => typeof key === 'symbol' || key in end || ASKED_OF_ANYTHING.has(key)
  return new Proxy(end, {
    get: (target, key, receiver: object) =>
      isKnown(key) ? (Reflect.get(target, key, receiver) as unknown) : notImplemented(nameOf(receiver, key)),
    set: (target, key, value, receiver: object) =>
      isKnown(key) ? Reflect.set(target, key, value, receiver) : notImplemented(nameOf(receiver, key))
  })
}

function nameOf(receiver: object, key: string | symbol): string {
  return `${receiver.constructor.name}.${String(key)}`
}

/** An object of Electron's without events. */
export class StrictObject {}
Object.setPrototypeOf(StrictObject.prototype, fence(Object.prototype))

type Listener = (...args: never[]) => void

/** An object of Electron's with events; listening for one that the stand-in never emits is refused. */
export class StrictEmitter extends EventEmitter {
  /** The events that the class emits; a class that says `null` takes any. */
  static readonly events: readonly string[] | null = []

  override on(event: string, listener: Listener): this {
    this.#check(event)
    return super.on(event, listener as (...args: unknown[]) => void)
  }

  override addListener(event: string, listener: Listener): this {
    return this.on(event, listener)
  }

  override once(event: string, listener: Listener): this {
    this.#check(event)
    return super.once(event, listener as (...args: unknown[]) => void)
  }

  override prependListener(event: string, listener: Listener): this {
    this.#check(event)
    return super.prependListener(event, listener as (...args: unknown[]) => void)
  }

  override prependOnceListener(event: string, listener: Listener): this {
    this.#check(event)
    return super.prependOnceListener(event, listener as (...args: unknown[]) => void)
  }

  #check(event: string): void {
    const { events } = this.constructor as typeof StrictEmitter
    if (events !== null && !events.includes(event)) notImplemented(`the event '${event}' of ${this.constructor.name}`)
  }
}
Object.setPrototypeOf(StrictEmitter.prototype, fence(EventEmitter.prototype))

/** What listeners get first: a default that they may prevent. */
export class ElectronEvent {
  defaultPrevented = false

  constructor(details: object = {}) {
    Object.assign(this, details)
  }

  preventDefault(): void {
    this.defaultPrevented = true
  }
}

/** Makes every method and accessor of a class throw once its object is destroyed, as Electron's native objects do. */
export function guardDestroyed(prototype: { isDestroyed(): boolean }, allowed: readonly string[]): void {
  for (const [name, property] of Object.entries(Object.getOwnPropertyDescriptors(prototype))) {
    if (name === 'constructor' || name === 'isDestroyed' || allowed.includes(name)) continue
    const guarded = { ...property }
    if (property.get !== undefined) guarded.get = guard(property.get)
    if (property.set !== undefined) guarded.set = guard(property.set)
    if (typeof property.value === 'function') guarded.value = guard(property.value as (...args: unknown[]) => unknown)
    Object.defineProperty(prototype, name, guarded)
  }
}

function guard<A extends unknown[], R>(method: (...args: A) => R) {
  return function (this: { isDestroyed(): boolean }, ...args: A): R {
    if (this.isDestroyed()) throw new TypeError('Object has been destroyed')
    return method.apply(this, args)
  }
}
