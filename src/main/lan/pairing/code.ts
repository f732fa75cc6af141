import { timingSafeEqual } from 'node:crypto'
import { CODE_ALPHABET, CODE_LENGTH, MAX_WRONG_CODES, readCode, shownCode, type CodeAsk, type ProofAsk } from '../../../shared/pairing.ts'
import { busProof, isDeviceProof, proofKey, type ProofKey } from '../../../shared/pairing-proof.ts'
import type { Random } from '../../bus/random.ts'

const BITS_OF_A_CHARACTER = 5

/** By what a device shows that it knows the code; `name` as it travelled. */
export type Evidence = (CodeAsk | ProofAsk) & { readonly name: string }

/** What is known once the evidence was looked at. `proof`: what the bus says in return to a proof. */
export interface Verdict {
  readonly isRight: boolean
  readonly proof?: string
}

const WRONG: Verdict = { isRight: false }

/** A code that is shown: good for one device, for a while, and for few tries. */
export class PairingCode {
  /** As people read it. */
  readonly text: string
  /** Names it without telling it. */
  readonly id: string
  /** The pin of the bus when it was drawn. */
  readonly pin: string
  /** Unix seconds. */
  readonly expiresAt: number
  readonly #code: string
  /** Once for each code, however many ask: it costs a tenth of a second. */
  readonly #key: Promise<ProofKey>
  readonly #tries = new Map<string, number>()
  #allTries = 0

  constructor(random: Random, pin: string, expiresAt: number) {
    this.#code = draw(random)
    this.text = shownCode(this.#code)
    this.id = random.hex(8)
    this.pin = pin
    this.expiresAt = expiresAt
    this.#key = proofKey(this.#code, this.id, pin)
  }

  /** Whether no try is left. */
  get isUsedUp(): boolean {
    return this.#allTries >= MAX_WRONG_CODES.ofAll
  }

  /**
   * Looks at evidence of a client, by its address or network. Each look is a try from the moment it begins, so that guesses made at
   * once count each; what is no guess at this code is none. Once its tries are used up a client is wrong whatever it says, so
   * that nobody alone voids a code for others.
   */
  async judge(evidence: Evidence, client: string): Promise<Verdict> {
    if ('code' in evidence) {
      const code = readCode(evidence.code)
      return code !== undefined && this.#mayTry(client) ? { isRight: this.#isCode(code) } : WRONG
    }
    const { pairing, nonce, proof, name } = evidence
    if (pairing !== this.id || !this.#mayTry(client)) return WRONG
    const key = await this.#key
    return (await isDeviceProof(key, proof, nonce, name)) ? { isRight: true, proof: await busProof(key, nonce) } : WRONG
  }

  /** Counts a try of a client, if it has one left. */
  #mayTry(client: string): boolean {
    const tries = this.#tries.get(client) ?? 0
    if (this.isUsedUp || tries >= MAX_WRONG_CODES.ofClient) return false
    this.#tries.set(client, tries + 1)
    this.#allTries++
    return true
  }

  #isCode(code: string): boolean {
    return timingSafeEqual(Buffer.from(code), Buffer.from(this.#code))
  }
}

/** Each character from bits of its own: all codes are as likely. */
function draw(random: Random): string {
  const bits = BigInt(`0x${random.hex((CODE_LENGTH * BITS_OF_A_CHARACTER) / 8)}`)
  const at = (i: number): number => Number((bits >> BigInt(i * BITS_OF_A_CHARACTER)) & 31n)
  return Array.from({ length: CODE_LENGTH }, (_, i) => CODE_ALPHABET[at(i)]).join('')
}
