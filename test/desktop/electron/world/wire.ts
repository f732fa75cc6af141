/**
 * Values as JSON, with what JSON does not know. It also runs in pages, where it is sent as text: the function refers to
 * nothing outside of itself.
 */

export interface WireHooks {
  /** Gives a function away, as a number. Without these two, functions and promises cannot be sent. */
  readonly giveFunction?: (value: (...args: unknown[]) => unknown) => number
  readonly takeFunction?: (id: number) => unknown
  readonly givePromise?: (value: Promise<unknown>) => number
  readonly takePromise?: (id: number) => unknown
}

export interface Wire {
  /** Throws at what cannot be sent, in Electron's words. */
  encode(value: unknown): unknown
  decode(sent: unknown): unknown
}

export function createWire({ giveFunction, takeFunction, givePromise, takePromise }: WireHooks = {}): Wire {
  const MAX_DEPTH = 1_000
  const arrays: Record<string, new (buffer: ArrayBuffer) => unknown> = {
    Int8Array, Uint8Array, Uint8ClampedArray, Int16Array, Uint16Array, Int32Array, Uint32Array,
    Float32Array, Float64Array, BigInt64Array, BigUint64Array, DataView
  }

  function refuse(): never {
    throw new Error('An object could not be cloned.')
  }

  function encode(value: unknown, depth = 0): unknown {
    if (depth > MAX_DEPTH) refuse()
    const inside = (part: unknown) => encode(part, depth + 1)
    if (value === null || typeof value === 'string' || typeof value === 'boolean') return value
    if (value === undefined) return ['undefined']
    if (typeof value === 'number') {
      if (Object.is(value, -0)) return ['number', '-0']
      return Number.isFinite(value) ? value : ['number', String(value)]
    }
    if (typeof value === 'bigint') return ['bigint', String(value)]
    if (typeof value === 'function') return giveFunction === undefined ? refuse() : ['function', giveFunction(value as () => unknown)]
    if (typeof value === 'symbol') refuse()
    if (value instanceof Promise) return givePromise === undefined ? refuse() : ['promise', givePromise(value)]
    if (Array.isArray(value)) return ['array', Array.from(value, inside)]
    if (value instanceof Error) return ['error', value.name, value.message]
    if (value instanceof Date) return ['date', value.getTime()]
    if (value instanceof RegExp) return ['regexp', value.source, value.flags]
    if (value instanceof Map) return ['map', [...value].map(inside)]
    if (value instanceof Set) return ['set', [...value].map(inside)]
    if (value instanceof ArrayBuffer) return ['buffer', 'ArrayBuffer', toBase64(new Uint8Array(value))]
    if (ArrayBuffer.isView(value)) {
      const bytes = new Uint8Array(value.buffer, value.byteOffset, value.byteLength)
      const name = Object.prototype.toString.call(value).slice(8, -1)
      return ['buffer', name, toBase64(bytes)]
    }
    if (Object.prototype.toString.call(value) !== '[object Object]') refuse()
    return ['object', Object.entries(value as object).map(([key, part]) => [key, inside(part)])]
  }

  function decode(sent: unknown): unknown {
    if (!Array.isArray(sent)) return sent
    const [kind, first, second] = sent as [string, never, never]
    switch (kind) {
      case 'undefined': return undefined
      case 'number': return Number(first)
      case 'bigint': return BigInt(first)
      case 'function': return takeFunction?.(first)
      case 'promise': return takePromise?.(first)
      case 'array': return (first as unknown[]).map(decode)
      case 'error': return toError(first, second)
      case 'date': return new Date(first)
      case 'regexp': return new RegExp(first, second)
      case 'map': return new Map((first as unknown[]).map(decode) as [unknown, unknown][])
      case 'set': return new Set((first as unknown[]).map(decode))
      case 'buffer': return toBuffer(first, fromBase64(second))
      default: return toObject(first)
    }
  }

  function toObject(entries: readonly [string, unknown][]): object {
    const object = {}
    for (const [key, part] of entries) {
      // Not by assignment: `__proto__` is a name like any other here.
      Object.defineProperty(object, key, { value: decode(part), writable: true, enumerable: true, configurable: true })
    }
    return object
  }

  function toError(name: string, message: string): Error {
    const error = new Error(message)
    if (name !== 'Error') Object.defineProperty(error, 'name', { value: name, writable: true, configurable: true })
    return error
  }

  function toBuffer(name: string, bytes: ArrayBuffer): unknown {
    return name === 'ArrayBuffer' ? bytes : new arrays[name]!(bytes)
  }

  function toBase64(bytes: Uint8Array): string {
    let text = ''
    for (const byte of bytes) text += String.fromCharCode(byte)
    return btoa(text)
  }

  function fromBase64(text: string): ArrayBuffer {
    return Uint8Array.from(atob(text), (character) => character.charCodeAt(0)).buffer
  }

  return { encode: (value) => encode(value), decode }
}
