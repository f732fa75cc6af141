import type { SignatureFailureView } from '../../../shared/control/network-views.ts'
import { SIGNATURE_WINDOW } from '../../../shared/limits.ts'
import type { Explanation } from './diagnosis.ts'
import { digestForm, otherDigest } from './digest-form.ts'
import { linesOf, summary, type Show } from './lines.ts'
import { MASK } from './mask.ts'
import type { SignatureTrouble } from './refusal.ts'

/** Lines of what is signed, counted from 1. */
const PATH_LINE = 2
const TIMESTAMP_LINE = 3
const NONCE_LINE = 4

/** What the bus has to say about a signature that does not count. */
export type Verdict = Pick<SignatureFailureView, 'found' | 'difference' | 'text' | 'next'>

/** A request whose signature does not count. */
export interface Evidence {
  readonly trouble: SignatureTrouble
  /** Unix seconds. */
  readonly now: number
  readonly timestamp: string
  readonly signature: string
  /** The path as it is to be signed. */
  readonly canonical: string
  /** What is to be signed, line by line, as it is shown. */
  readonly expected: readonly string[]
  readonly shown: Show
  /** Looks for what the client signed instead. */
  explain(): Explanation | undefined
}

/** What is wrong with a signature, in plain words, and what to do. */
export function verdictOn(evidence: Evidence): Verdict {
  const { trouble, now, timestamp, signature } = evidence
  const nothing = { found: null, difference: null }
  switch (trouble) {
    case 'incomplete':
      return {
        ...nothing,
        text: 'The request has not all of the headers X-Timestamp, X-Nonce and X-Signature.',
        next: 'Send all three with every request, or none where the bus does not require signatures.'
      }
    case 'timestamp':
      return { ...nothing, ...atLine(TIMESTAMP_LINE), text: 'The timestamp is not Unix time in seconds.', next: 'Send seconds since 1970 in digits, as `date +%s` prints them.' }
    case 'stale':
      return { ...nothing, ...atLine(TIMESTAMP_LINE), ...staleVerdict(Number(timestamp), now) }
    case 'forgotten':
      return {
        ...nothing,
        ...atLine(TIMESTAMP_LINE),
        text: 'It was signed before the database of this bus was restored, which forgot what was sent until then.',
        next: 'Sign it anew, with the time of now.'
      }
    case 'nonce':
      return { ...nothing, ...atLine(NONCE_LINE), text: 'The nonce is too long.', next: 'Send some 16 random bytes in hex.' }
    case 'replay':
      return {
        ...nothing,
        ...atLine(NONCE_LINE),
        text: 'The signature is right, but its nonce was used before with this key.',
        next: 'Make a new random nonce for every request, also when one is sent again.'
      }
    case 'wrong':
      return digestForm(signature) === undefined
        ? { ...nothing, text: otherDigest(signature), next: 'Send the HMAC-SHA256 as 64 hex digits in lower case.' }
        : compare(evidence)
  }
}

function staleVerdict(timestamp: number, now: number): Pick<Verdict, 'text' | 'next'> {
  if (Math.abs(timestamp / 1_000 - now) <= SIGNATURE_WINDOW) {
    return { text: 'The timestamp is in milliseconds.', next: 'Send it in seconds.' }
  }
  const off = Math.round(Math.abs(now - timestamp))
  const clock = new Date(now * 1_000).toISOString().replace(/\.\d+Z$/, ' UTC').replace('T', ' ')
  const text = `The clock of the client is ${off} s ${timestamp < now ? 'behind' : 'ahead of'} the clock of this bus, or the request was that long on its way.`
  return { text, next: `Set the clocks: this bus's says ${clock}, and up to ${SIGNATURE_WINDOW} s of difference are fine.` }
}

/** Holds what the client must have signed against what it should have. */
function compare({ expected, canonical, shown, explain }: Evidence): Verdict {
  const explanation = explain()
  if (explanation === undefined) {
    return {
      found: null,
      difference: null,
      text: 'None of the usual mistakes explains this signature: it was made with another key, timestamp or nonce than the request came with, or over another body.',
      next: 'Print what the client signs, and compare it with these lines.'
    }
  }
  const { fields, frame, signed, wrote, cures } = explanation
  const [method, path, timestamp, nonce, body] = fields
  const found = linesOf([method, path, timestamp, nonce, summary(Buffer.from(body))], frame, shown)
  const did = [...(signed.length === 0 ? [] : [`signed ${signed.join(' and ')}`]), ...(wrote === null ? [] : [`wrote ${wrote}`])]
  return {
    found,
    difference: firstDifference(expected, found) ?? (path === canonical ? null : hidden(expected)),
    text: `The client ${did.join(', and ')}.`,
    next: [...new Set(cures)].join(' ')
  }
}

function firstDifference(expected: readonly string[], found: readonly string[]): SignatureFailureView['difference'] {
  for (let line = 0; line < Math.max(expected.length, found.length); line++) {
    const [left, right] = [expected[line] ?? '', found[line] ?? '']
    if (left === right && line < expected.length && line < found.length) continue
    let column = 0
    while (column < left.length && left[column] === right[column]) column++
    return { line: line + 1, column: column + 1 }
  }
  return null
}

/** Where what differs is not shown. */
function hidden(expected: readonly string[]): SignatureFailureView['difference'] {
  return { line: PATH_LINE, column: Math.max(0, expected[PATH_LINE - 1]!.indexOf(MASK)) + 1 }
}

function atLine(line: number): Pick<Verdict, 'difference'> {
  return { difference: { line, column: 1 } }
}
