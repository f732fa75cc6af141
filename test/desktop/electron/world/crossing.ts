import type { createWire as CreateWire } from './wire.ts'

/** What runs in pages knows of a page: this project is type-checked without the DOM. */
interface World {
  dispatchEvent(event: unknown): boolean
  addEventListener(type: string, listener: (event: { readonly detail: string }) => void): void
  readonly CustomEvent: new (type: string, init: { readonly detail: string }) => unknown
}

type Anything = (...args: unknown[]) => unknown

type Message =
  | { readonly kind: 'call'; readonly id: number; readonly args: unknown }
  | { readonly kind: 'return'; readonly isThrown: boolean; readonly value: unknown }
  | { readonly kind: 'settle'; readonly id: number; readonly isRejected: boolean; readonly value: unknown }

/** One side's hold of the other world. */
export interface Crossing {
  /** Calls a function of the other side by its number: the ones it began with, in their order, are 0, 1, ... */
  call(id: number, args: readonly unknown[]): unknown
}

/**
 * Connects the main world of a page with the isolated one, with the rules of Electron's contextBridge: values are
 * copied, functions and promises stand for those of the other side, errors keep their message only. The worlds share
 * events of the window but no objects, so all passes as text; events are dispatched at once, so calls return at once.
 *
 * Runs in pages, where it is sent as text.
 */
export function connectWorlds(
  world: unknown,
  names: { readonly own: string; readonly other: string },
  createWire: typeof CreateWire,
  firstFunctions: readonly Anything[]
): Crossing {
  const { dispatchEvent, addEventListener, CustomEvent } = world as World
  const functions = [...firstFunctions]
  const waiting = new Map<number, PromiseWithResolvers<unknown>>()
  let promises = 0
  let returned: Extract<Message, { kind: 'return' }> | undefined

  const wire = createWire({
    giveFunction: (value) => functions.push(value) - 1,
    takeFunction: (id) => (...args: unknown[]) => call(id, args),
    givePromise(value) {
      const id = ++promises
      value.then(
        (result) => send({ kind: 'settle', id, isRejected: false, value: encodeOrMessage(result) }),
        (error: unknown) => send({ kind: 'settle', id, isRejected: true, value: messageOf(error) })
      )
      return id
    },
    takePromise(id) {
      const promise = Promise.withResolvers<unknown>()
      waiting.set(id, promise)
      return promise.promise
    }
  })

  function encodeOrMessage(value: unknown): unknown {
    try {
      return wire.encode(value)
    } catch (error) {
      return wire.encode(new Error(messageOf(error)))
    }
  }

  function messageOf(error: unknown): string {
    return error instanceof Error ? error.message : String(error)
  }

  function send(message: Message): void {
    dispatchEvent.call(world, new CustomEvent(names.other, { detail: JSON.stringify(message) }))
  }

  function call(id: number, args: readonly unknown[]): unknown {
    returned = undefined
    send({ kind: 'call', id, args: wire.encode(args) })
    const answer = returned as Extract<Message, { kind: 'return' }> | undefined
    if (answer === undefined) throw new Error('The other world did not answer.')
    if (answer.isThrown) throw new Error(answer.value as string)
    return wire.decode(answer.value)
  }

  function answer(id: number, args: unknown): Message {
    try {
      const value = wire.encode(functions[id]!(...(wire.decode(args) as unknown[])))
      return { kind: 'return', isThrown: false, value }
    } catch (error) {
      return { kind: 'return', isThrown: true, value: messageOf(error) }
    }
  }

  addEventListener.call(world, names.own, ({ detail }) => {
    const message = JSON.parse(detail) as Message
    if (message.kind === 'call') send(answer(message.id, message.args))
    else if (message.kind === 'return') returned = message
    else {
      const promise = waiting.get(message.id)
      waiting.delete(message.id)
      if (message.isRejected) promise?.reject(new Error(message.value as string))
      else promise?.resolve(wire.decode(message.value))
    }
  })

  return { call }
}
