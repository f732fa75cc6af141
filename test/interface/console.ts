import type { BrowserContext } from 'playwright'

/** Svelte's warnings, in the short form of a built interface: state that nobody keeps up to date is one. */
const SVELTE_WARNING = /https:\/\/svelte\.dev\/e\//

/** Adds to `trouble` what pages log as an error, and what Svelte warns of. */
export function watchConsole(context: BrowserContext, trouble: string[]): void {
  context.on('weberror', (error) => trouble.push(`error: ${error.error().message}`))
  context.on('console', (message) => {
    const isTrouble = message.type() === 'error' || SVELTE_WARNING.test(message.text())
    if (isTrouble) trouble.push(`console: ${message.text()} (${message.location().url})`)
  })
}
