import { randomBytes } from 'node:crypto'
import { readFileSync, renameSync, rmSync, statSync } from 'node:fs'
import { digestOf } from './bus/keys.ts'
import type { Meta, MetaName } from './bus/meta.ts'
import { writeFileAtomically } from './files.ts'

/** Where a secret of the bus can be read: in the environment, in a file of this machine, or only by who knows it. */
export type SecretPlace =
  | { readonly in: 'environment'; readonly variable: string }
  | { readonly in: 'file'; readonly path: string }
  | { readonly in: 'elsewhere'; readonly path: string }

export interface Secret {
  readonly digest: string
  readonly place: SecretPlace
}

export interface SecretOptions {
  readonly meta: Meta
  readonly name: Extract<MetaName, `${string}_digest`>
  /** What the environment says; it counts before all else. */
  readonly given: string | undefined
  readonly variable: string
  /** The file of mode 0600 that holds the secret in clear. */
  readonly path: string
  readonly prefix: string
}

const SECRET_BYTES = 24

/**
 * Finds a secret of the bus, or makes it at the first start. The database holds only its digest. A database that has a
 * digest already never gets a second secret: when its file is missing, the secret is in a keychain or in a head.
 */
export function findSecret(options: SecretOptions): Secret {
  const { meta, name, given, variable, path } = options
  if (given !== undefined) return { digest: digestOf(given), place: { in: 'environment', variable } }
  finishRotation(options)
  const known = meta.get(name)
  const content = readSecretFile(path)
  if (known !== undefined) {
    const isInFile = content !== undefined && digestOf(content) === known
    return { digest: known, place: { in: isInFile ? 'file' : 'elsewhere', path } }
  }
  // A file without a digest: the very first start was interrupted between the two.
  const secret = content ?? newSecret(options)
  if (content === undefined) writeFileAtomically(path, `${secret}\n`)
  meta.set(name, digestOf(secret))
  return { digest: digestOf(secret), place: { in: 'file', path } }
}

/** Replaces a secret by a new one; a crash in between leaves the old one or the new one in force, and readable. */
export function rotateSecret(options: SecretOptions): void {
  const secret = newSecret(options)
  writeFileAtomically(nextPath(options), `${secret}\n`)
  options.meta.set(options.name, digestOf(secret))
  renameSync(nextPath(options), options.path)
}

/** True when others than the owner may read the file; always false where modes mean nothing. */
export function isReadableByOthers(path: string): boolean {
  return process.platform !== 'win32' && (statSync(path).mode & 0o077) !== 0
}

function finishRotation(options: SecretOptions): void {
  const next = readSecretFile(nextPath(options))
  if (next === undefined) return
  if (digestOf(next) === options.meta.get(options.name)) renameSync(nextPath(options), options.path)
  else rmSync(nextPath(options))
}

function nextPath({ path }: SecretOptions): string {
  return `${path}.next`
}

function newSecret({ prefix }: SecretOptions): string {
  return prefix + randomBytes(SECRET_BYTES).toString('base64url')
}

function readSecretFile(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim() || undefined
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}
