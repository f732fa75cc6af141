const SCREENS = ['overview', 'intents', 'publish', 'workers', 'keys', 'lan', 'activity', 'storage', 'settings'] as const
export type ScreenName = (typeof SCREENS)[number]

/** Where the interface is. */
export interface Route {
  readonly screen: ScreenName
  /** What is behind the screen's name: the id of an intent. */
  readonly id: string | null
  /** What is behind the `?`. */
  readonly params: URLSearchParams
}

/** The address of a place, for links: `hrefOf('intents', { params: { filter: 'status:dead' } })`. Empty parameters are left out. */
export function hrefOf(screen: ScreenName, { id, params = {} }: { id?: string; params?: Readonly<Record<string, string>> } = {}): string {
  const query = new URLSearchParams(Object.entries(params).filter(([, value]) => value !== '')).toString()
  return `#/${screen}${id === undefined ? '' : `/${encodeURIComponent(id)}`}${query === '' ? '' : `?${query}`}`
}

/** The place that a location hash names; the overview for one that names none. */
function parseHash(hash: string): Route {
  const [path = '', query = ''] = hash.replace(/^#\/?/, '').split(/\?(.*)/s)
  const [name, id] = path.split('/')
  const screen = SCREENS.find((known) => known === name) ?? 'overview'
  return { screen, id: decode(id), params: new URLSearchParams(query) }
}

function decode(id: string | undefined): string | null {
  try {
    return id === undefined || id === '' ? null : decodeURIComponent(id)
  } catch {
    return null
  }
}

/** Follows the location hash, so that back, forward and links work as they do everywhere. */
export class Router {
  route = $state.raw<Route>(parseHash(location.hash))
  #mayFocus = false

  constructor() {
    addEventListener('hashchange', () => this.#follow())
  }

  /** Goes to an address that `hrefOf` made. */
  go(href: string): void {
    location.hash = href
  }

  /** Says otherwise where this is, without a step in the browser's history: for filters while they are typed. */
  replace(href: string): void {
    history.replaceState(history.state, '', href)
    this.#follow()
  }

  /** True once for each navigation: whoever shows the new place's heading moves the focus there. */
  claimFocus(): boolean {
    const may = this.#mayFocus
    this.#mayFocus = false
    return may
  }

  #follow(): void {
    const next = parseHash(location.hash)
    this.#mayFocus = next.screen !== this.route.screen || next.id !== this.route.id
    this.route = next
  }
}
