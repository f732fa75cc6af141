import { join } from 'node:path'
import { INTERFACE_POLICY, mimeTypeOf } from '../interface-content.ts'
import { isOwnUrl } from './origin.ts'

/** No dot in front, no separator of any platform, no drive, no escape: a name that can only lie in its folder. */
const SEGMENT = /^[A-Za-z0-9_-][A-Za-z0-9_.-]*$/

/** Headers of every answer, refusals included. */
export const CONTENT_HEADERS: Readonly<Record<string, string>> = {
  'Content-Security-Policy': INTERFACE_POLICY,
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff'
}

export interface ContentFile {
  readonly path: string
  readonly mimeType: string
}

/** The file of the interface that a URL names; undefined when it names none, or something outside of `root`. */
export function contentFile(root: string, url: string): ContentFile | undefined {
  if (!isOwnUrl(url)) return undefined
  const segments = new URL(url).pathname.slice(1).split('/')
  // Names are plain: whatever needs an escape is not there, so nothing is decoded and nothing can be hidden in an escape.
  if (!segments.every((segment) => SEGMENT.test(segment))) return undefined
  const mimeType = mimeTypeOf(segments.at(-1)!)
  return mimeType === undefined ? undefined : { path: join(root, ...segments), mimeType }
}
