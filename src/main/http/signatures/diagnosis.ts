import { createHmac } from 'node:crypto'
import { digestForm, type DigestForm } from './digest-form.ts'
import { FIRM_FRAMES, FRAMES, RIGHT_FRAME, type Frame } from './frames.ts'
import { bodyMistakes, pathMistakes, type Mistake, type SentTarget } from './mistakes.ts'

/** A request as it came, as far as its signature covers it. */
export interface SentRequest extends SentTarget {
  readonly method: string
  readonly timestamp: string
  readonly nonce: string
  readonly body: string
  readonly signature: string
}

/** What explains a signature: what the client must have signed over, and what it did wrong. */
export interface Explanation {
  readonly fields: Fields
  readonly frame: Frame
  /** The ends of a sentence: "The client signed …". */
  readonly signed: readonly string[]
  /** The same for "The client wrote …"; null where the digest was written well. */
  readonly wrote: string | null
  /** What to do, as sentences. */
  readonly cures: readonly string[]
}

/** What is joined to be signed, in the right order. */
export type Fields = readonly [method: string, path: string, timestamp: string, nonce: string, body: string]

/** Bytes that one diagnosis hashes at most: a few milliseconds. */
const MAX_HASHED = 1_000_000

const CURES = {
  path: 'Sign the decoded path, and behind a question mark the query sorted by name, each name and value percent-encoded (RFC 3986).',
  body: 'Write the body once, sign these very bytes, and send the same.',
  frame: 'Join method, path, timestamp, nonce and body by line breaks in this order; without a body the text ends with a line break.',
  method: 'Sign the method in capital letters.',
  timestamp: 'Sign the timestamp as it is in the header, in seconds.',
  secret: 'Take spaces and line breaks off the key before signing with it.',
  digest: 'Send the digest as 64 hex digits in lower case.'
} as const

type Part = Exclude<keyof typeof CURES, 'digest'>

/** One way to go wrong in one part. */
interface Slip {
  readonly part: Part
  readonly what: string
  readonly change: Partial<Attempt>
  /** Rare ones are not tried together with others. */
  readonly isRare?: boolean
}

interface Attempt {
  readonly method: string
  readonly path: string
  readonly timestamp: string
  readonly nonce: string
  readonly body: string
  readonly frame: Frame
  readonly secret: string
}

/** Finds what a client signed over by trying the usual mistakes, one alone and two together; undefined when none fits. */
export function diagnose(key: string, sent: SentRequest): Explanation | undefined {
  const form = digestForm(sent.signature)
  if (form === undefined) return undefined
  const { method, canonical: path, timestamp, nonce, body } = sent
  const right: Attempt = { method, path, timestamp, nonce, body, frame: RIGHT_FRAME, secret: key }
  const search = new Search(form)
  if (search.fits(right)) return explain(right, [], form)
  const slips = slipsOf(sent, key)
  for (const slip of slips) {
    const attempt = { ...right, ...slip.change }
    if (search.fits(attempt)) return explain(attempt, [slip], form)
  }
  const usual = slips.filter(({ isRare }) => isRare !== true)
  for (const [i, first] of usual.entries()) {
    for (const second of usual.slice(i + 1)) {
      if (second.part === first.part) continue
      const attempt = { ...right, ...first.change, ...second.change }
      if (search.fits(attempt)) return explain(attempt, [first, second], form)
    }
  }
  return undefined
}

/** Compares what attempts would give with the signature that came, as long as it may. */
class Search {
  readonly #wanted: Buffer
  #hashed = 0

  constructor({ bytes }: DigestForm) {
    this.#wanted = bytes
  }

  fits({ frame, secret, ...fields }: Attempt): boolean {
    if (this.#hashed > MAX_HASHED) return false
    const text = frame.join(fieldsOf(fields))
    this.#hashed += text.length
    return createHmac('sha256', secret).update(text).digest().equals(this.#wanted)
  }
}

function slipsOf(sent: SentRequest, key: string): Slip[] {
  const { method, timestamp, body } = sent
  const seconds = Number(timestamp)
  const timestamps: Mistake[] = [
    { text: String(Math.round(seconds * 1_000)), what: 'the timestamp in milliseconds' },
    { text: String(Math.floor(seconds)), what: 'the timestamp in whole seconds, not as it is in the header' }
  ]
  const frames = FRAMES.map((frame): Slip => {
    return { part: 'frame', what: frame.what, change: { frame }, isRare: !FIRM_FRAMES.includes(frame) }
  })
  return [
    ...pathMistakes(sent).map(({ text, what }): Slip => ({ part: 'path', what, change: { path: text } })),
    ...bodyMistakes(body).map(({ text, what }): Slip => ({ part: 'body', what, change: { body: text } })),
    { part: 'method', what: 'the method in small letters', change: { method: method.toLowerCase() } },
    ...timestamps
      .filter(({ text }) => text !== timestamp)
      .map(({ text, what }): Slip => ({ part: 'timestamp', what, change: { timestamp: text } })),
    ...['\n', '\r\n', ' '].map((end): Slip => {
      return { part: 'secret', what: 'with a key that ends in a line break or space', change: { secret: key + end } }
    }),
    ...frames
  ]
}

function explain({ frame, ...fields }: Attempt, slips: readonly Slip[], { wrote }: DigestForm): Explanation {
  const cures = slips.map(({ part }) => CURES[part])
  return {
    fields: fieldsOf(fields),
    frame,
    signed: slips.map(({ what }) => what),
    wrote,
    cures: wrote === null ? cures : [...cures, CURES.digest]
  }
}

function fieldsOf({ method, path, timestamp, nonce, body }: Omit<Attempt, 'frame' | 'secret'>): Fields {
  return [method, path, timestamp, nonce, body]
}
