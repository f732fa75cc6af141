import { extname } from 'node:path'

/** What the interface is made of and may do: the same in a browser and in the app's windows. */

/** It loads what it came with, talks to where it came from, and nothing else. */
export const INTERFACE_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; " +
  "manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

const MIME_TYPES: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.webmanifest': 'application/manifest+json',
  '.woff2': 'font/woff2'
}

/** The MIME type of a file of the interface; undefined for one that is no part of it. */
export function mimeTypeOf(name: string): string | undefined {
  return MIME_TYPES[extname(name)]
}
