/** Links of the app's own scheme. They only show something: what they say to publish, a person still has to publish. */

export const LINK_SCHEME = 'intentbus'

export type Destination =
  | { readonly view: 'window'; /** The place in the main window. */ readonly hash: string }
  | { readonly view: 'panel' }

const MAX_LINK_LENGTH = 16_384

/** Where a link leads; undefined for one that leads nowhere. */
export function readLink(link: string): Destination | undefined {
  if (link.length > MAX_LINK_LENGTH || !URL.canParse(link)) return undefined
  const { protocol, host, pathname, searchParams } = new URL(link)
  if (protocol !== `${LINK_SCHEME}:`) return undefined
  const rest = pathname.replace(/^\//, '')
  if (host === 'intent' && /^[0-9a-f]{32}$/.test(rest)) return { view: 'window', hash: `#/intents/${rest}` }
  if (rest !== '') return undefined
  if (host === 'intents') return { view: 'window', hash: place('intents', searchParams, ['filter']) }
  if (host === 'publish') return { view: 'window', hash: place('publish', searchParams, ['goal', 'payload']) }
  return host === 'panel' ? { view: 'panel' } : undefined
}

/** The link among the arguments that an app was started with. */
export function findLink(args: readonly string[]): string | undefined {
  return args.find((arg) => arg.startsWith(`${LINK_SCHEME}:`))
}

/** The place of an intent in the main window. */
export function intentPlace(id: string): string {
  return `#/intents/${id}`
}

/** The place of all dead letters. */
export const DEAD_LETTERS = place('intents', new URLSearchParams({ filter: 'status:dead' }), ['filter'])

/** Only what is known is carried over. */
function place(screen: string, given: URLSearchParams, names: readonly string[]): string {
  const kept = names.flatMap((name) => {
    const value = given.get(name)
    return value === null ? [] : [`${name}=${encodeURIComponent(value)}`]
  })
  return `#/${screen}${kept.length > 0 ? `?${kept.join('&')}` : ''}`
}
