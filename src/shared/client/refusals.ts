import {
  IntentBusAuthError,
  IntentBusError,
  IntentBusNetworkError,
  IntentBusRateLimitError,
  LeaseLostError,
  type ErrorFacts
} from './errors.ts'
import { readRetryAfter } from './retry.ts'
import { tooLarge } from './too-large.ts'

/** What was asked, as far as a refusal of it needs it. */
export interface Refused {
  /** JSON text. */
  readonly body?: string | undefined
  /** Whether a 404 says that a lease is lost. */
  readonly isOfLease?: boolean
}

/** The error that an answer with a status from 400 on stands for (SPEC 11). */
export function refusalOf({ status, headers }: Response, text: string, { body = '', isOfLease = false }: Refused): IntentBusError {
  const { code, message } = readBody(text)
  const facts: ErrorFacts = {
    code: code ?? `http_${status}`,
    status,
    retryAfter: readRetryAfter(headers.get('Retry-After')),
    requestId: headers.get('X-Request-ID') ?? undefined
  }
  const sentence = (status === 413 ? tooLarge(body) : undefined) ?? message ?? `The bus answered with HTTP ${status}.`
  if (status === 401 || status === 403) return new IntentBusAuthError(sentence, facts)
  if (status === 429) return new IntentBusRateLimitError(sentence, facts)
  if (status === 404 && isOfLease) return new LeaseLostError(sentence, facts)
  return new IntentBusError(sentence, facts)
}

/** The bus never redirects its clients: what answers is something else, or something in between. */
export function redirected(baseUrl: string, { status, headers }: Response): IntentBusError {
  const target = headers.get('Location')
  const where = target === null ? 'elsewhere' : `to ${target}`
  return new IntentBusError(`${baseUrl} redirects ${where}. Redirects are not followed: set baseUrl to where the bus is.`, {
    code: 'redirected',
    ...(status === 0 ? {} : { status })
  })
}

/** What `fetch` rejected with. */
export function networkError(baseUrl: string, error: unknown): IntentBusNetworkError {
  const message = `${baseUrl} cannot be reached: ${reasonOf(error)}.`
  // A browser tells a page no more than that it failed.
  const hint = 'document' in globalThis ? " Or the bus does not know this page's origin (BUS_ALLOWED_ORIGINS)." : ''
  return new IntentBusNetworkError(message + hint, { code: 'network', cause: error })
}

/** The innermost reason: `fetch failed` alone helps nobody. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const { cause } = error as { cause?: unknown }
  if (cause instanceof Error) return reasonOf(cause)
  // Of several addresses that were tried in turn, the error has a code and no message.
  return error.message || (error as { code?: string }).code || error.name
}

function readBody(text: string): { code?: string; message?: string } {
  try {
    const { error } = JSON.parse(text) as { error?: { code?: unknown; message?: unknown } }
    return typeof error?.code === 'string' ? { code: error.code, message: String(error.message ?? error.code) } : {}
  } catch {
    // A proxy's page.
    return {}
  }
}
