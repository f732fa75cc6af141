import { SECRET_PATTERN } from '../limits.ts'
import { environmentVariable } from './environment.ts'
import { IntentBusAuthError } from './errors.ts'
import type { ClientOptions } from './options.ts'

const DEFAULT_URL = 'http://127.0.0.1:7610'

/** The address of the bus, without a slash at its end. Throws TypeError for one that is none. */
export function findBaseUrl({ baseUrl }: ClientOptions): string {
  const given = baseUrl ?? environmentVariable('INTENT_BUS_URL') ?? DEFAULT_URL
  const url = parseUrl(given)
  const isHttp = url !== undefined && /^https?:$/.test(url.protocol)
  if (!isHttp || url.username + url.password + url.search + url.hash !== '') {
    throw new TypeError(`${given} is not the address of a bus: that is like ${DEFAULT_URL}.`)
  }
  return url.href.replace(/\/+$/, '')
}

function parseUrl(text: string): URL | undefined {
  try {
    return new URL(text)
  } catch {
    return undefined
  }
}

/** Throws IntentBusAuthError when there is no key, or none that could be sent. */
export function findApiKey({ apiKey }: ClientOptions): string {
  const key = apiKey ?? environmentVariable('INTENT_API_KEY')
  if (key === undefined || key === '') {
    throw new IntentBusAuthError('There is no API key: pass apiKey, or set INTENT_API_KEY.', { code: 'missing_key' })
  }
  if (!SECRET_PATTERN.test(key)) {
    throw new IntentBusAuthError('The API key holds characters that no key has: is there a line end in it?', {
      code: 'unfit_key'
    })
  }
  return key
}
