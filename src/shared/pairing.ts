import type { KeyLimits } from './scope.ts'

/**
 * Pairing: how a device that knows a short code comes to a key of its own. The bus shows the code; `POST /pair` asks with it,
 * and whoever operates the bus allows or refuses. Members that travel are named as in the protocol, times are seconds.
 */

/** Characters of a code: eight, of 32 each, are 40 bits. Without I, L, O and U, which people mistake or mind (Crockford). */
export const CODE_ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
export const CODE_LENGTH = 8
/** How long a code is shown. */
export const CODE_LIFETIME = 120
/** Wrong codes of one client after which none of its codes counts, and of all after which the one that is shown does not. */
export const MAX_WRONG_CODES = { ofClient: 5, ofAll: 50 } as const
/** How long an answer may be held until somebody has decided: when asking, and when asking again. */
export const ASK_WAIT = { min: 0, max: 60 } as const
export const DECISION_WAIT = { min: 0, max: 30 } as const
/** Characters of what a device calls itself. */
export const MAX_DEVICE_NAME = 64

/** A device that knows which bus it talks to, as by a pin, may simply say the code. */
export interface CodeAsk {
  readonly code: string
}

/** One that knows no more than an address and the code says the code to nobody: it proves that it knows it. */
export interface ProofAsk {
  /** What `GET /pair` said. */
  readonly pairing: string
  /** Hex digits of the device's own, used once. */
  readonly nonce: string
  readonly proof: string
}

/** The body of `POST /pair`. */
export type PairingAsk = (CodeAsk | ProofAsk) & {
  readonly name: string
  readonly kind?: 'worker'
  readonly wait?: number
}

/** 202: somebody has to decide. `POST /pair/wait` with both texts asks again. */
export interface PairingWaiting {
  readonly status: 'waiting'
  readonly request: string
  readonly token: string
  readonly expires_in: number
  /** In answer to a ProofAsk: that the bus knows the code, too, and that its pin is the one that the device sees. */
  readonly proof?: string
}

/** By what a device knows the bus from now on. */
export interface PairingBus {
  readonly name: string
  readonly url: string
  readonly urls: readonly string[]
  /** As curl's --pinnedpubkey has it. */
  readonly pin: string
  /** The root certificate in PEM. */
  readonly ca: string
}

/** 200: the device is let in. */
export interface PairingAllowed {
  readonly status: 'allowed'
  readonly key: string
  readonly key_id: string
  /** What the key is called on the bus. */
  readonly name: string
  readonly bus: PairingBus
  readonly limits: KeyLimits
  readonly proof?: string
}

/** A code as people type it, as the bus drew it: any case, with dashes or spaces, O for 0, I and L for 1; else undefined. */
export function readCode(text: string): string | undefined {
  const plain = text.replace(/[\s-]/g, '').toUpperCase().replaceAll('O', '0').replace(/[IL]/g, '1')
  const isCode = plain.length === CODE_LENGTH && [...plain].every((character) => CODE_ALPHABET.includes(character))
  return isCode ? plain : undefined
}

/** `K7QF92MX` as people read it: `K7QF-92MX`. */
export function shownCode(code: string): string {
  return `${code.slice(0, CODE_LENGTH / 2)}-${code.slice(CODE_LENGTH / 2)}`
}

/** Characters that show nothing, hide, or turn the direction of text; U+2800 is a pattern of Braille without a dot. */
const UNSEEN = /[\p{C}\p{Default_Ignorable_Code_Point}\u2800]/gu
/** Marks above and below a character beyond those that languages need: they would cover what stands around. */
const PILED_MARKS = /(\p{M}{2})\p{M}+/gu

/**
 * A device's name as the bus shows it: on one line, of characters that can be seen, in their place. Undefined for one that is
 * empty or too long.
 */
export function readDeviceName(text: string): string | undefined {
  const seen = text.normalize('NFC').replace(/\s/g, ' ').replace(UNSEEN, '')
  const name = seen.replace(PILED_MARKS, '$1').replace(/ +/g, ' ').trim()
  return /[\p{L}\p{N}\p{P}\p{S}]/u.test(name) && [...name].length <= MAX_DEVICE_NAME ? name : undefined
}
