import { existsSync } from 'node:fs'
import { chromium, type Browser } from 'playwright'

/** Debian and others install it here; playwright's own comes first where it was installed. */
const SYSTEM_BROWSERS = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']

/** Without these a browser without a net asks for many things that it cannot have. */
const QUIET = [
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync'
]

/** The Chromium that there is, and how it must be started here. Throws with what to do when there is none. */
export function chromiumOptions(): { executablePath: string; args: string[] } {
  const executablePath = [chromium.executablePath(), ...SYSTEM_BROWSERS].find((path) => existsSync(path))
  if (executablePath === undefined) {
    throw new Error('These tests need a Chromium: run npx playwright install chromium, or install the package chromium.')
  }
  // Chromium's sandbox refuses to run as root.
  const isRoot = process.getuid?.() === 0
  return { executablePath, args: isRoot ? [...QUIET, '--no-sandbox'] : QUIET }
}

export function launchChromium(): Promise<Browser> {
  return chromium.launch({ ...chromiumOptions(), headless: true })
}
