/** Where the interface is in the app's own windows. */
export const SCHEME = 'app'
const HOST = 'intent-bus'

const PAGES = { window: 'index.html', panel: 'panel.html' } as const
export type View = keyof typeof PAGES

/** The address of a page; `hash` is a place in it, with its `#`. */
export function pageUrl(view: View, hash = ''): string {
  return `${SCHEME}://${HOST}/${PAGES[view]}${hash}`
}

/** Whether a URL, or an origin as text, is the interface's own. */
export function isOwnUrl(url: string): boolean {
  if (!URL.canParse(url)) return false
  const { protocol, host, username, password } = new URL(url)
  return protocol === `${SCHEME}:` && host === HOST && username === '' && password === ''
}

/** The place in the main window that a URL of the interface names, as its hash; undefined for any other URL. */
export function placeInWindow(url: string): string | undefined {
  if (!isOwnUrl(url)) return undefined
  const { pathname, hash } = new URL(url)
  return pathname === `/${PAGES.window}` || pathname === '/' ? hash : undefined
}
