import { hrefOf, type ScreenName } from '../lib/state/router.svelte.ts'

/** A link from the panel to a place in the window: the app shows it there, a browser in another tab. */
export function toWindow(screen: ScreenName, place: Parameters<typeof hrefOf>[1] = {}): { readonly href: string; readonly target: string } {
  return { href: `./index.html${hrefOf(screen, place)}`, target: '_blank' }
}
