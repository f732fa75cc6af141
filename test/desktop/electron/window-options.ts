import type { BrowserWindowConstructorOptions, WebPreferences } from 'electron'
import { notImplemented } from './strict.ts'

/** Options that mean something here, or nothing that a page or a test could tell. */
const WINDOW_OPTIONS: ReadonlySet<string> = new Set([
  'x', 'y', 'width', 'height', 'minWidth', 'minHeight', 'maxWidth', 'maxHeight', 'center', 'useContentSize', 'show', 'title', 'icon',
  'frame', 'resizable', 'movable', 'minimizable', 'maximizable', 'closable', 'fullscreenable', 'skipTaskbar', 'alwaysOnTop',
  'autoHideMenuBar', 'backgroundColor', 'titleBarStyle', 'type', 'hasShadow', 'roundedCorners', 'acceptFirstMouse', 'webPreferences'
])

const WEB_PREFERENCES: ReadonlySet<string> = new Set([
  'preload', 'sandbox', 'contextIsolation', 'nodeIntegration', 'nodeIntegrationInWorker', 'nodeIntegrationInSubFrames', 'webSecurity',
  'allowRunningInsecureContent', 'webviewTag', 'navigateOnDragDrop', 'safeDialogs', 'spellcheck', 'devTools', 'additionalArguments',
  'backgroundThrottling', 'disableBlinkFeatures', 'enableWebSQL', 'experimentalFeatures', 'javascript', 'images', 'webgl', 'plugins'
])

/** What the stand-in cannot do otherwise, so that nobody believes it did. */
const FIXED: Readonly<Partial<WebPreferences>> = {
  sandbox: true,
  contextIsolation: true,
  nodeIntegration: false,
  nodeIntegrationInWorker: false,
  webSecurity: true,
  allowRunningInsecureContent: false,
  webviewTag: false,
  experimentalFeatures: false,
  javascript: true
}

/** Refuses options that the stand-in would silently ignore. */
export function checkWindowOptions(options: BrowserWindowConstructorOptions): void {
  for (const name of Object.keys(options)) {
    if (!WINDOW_OPTIONS.has(name)) notImplemented(`the option ${name} of BrowserWindow`)
  }
  for (const [name, value] of Object.entries(options.webPreferences ?? {})) {
    if (!WEB_PREFERENCES.has(name)) notImplemented(`webPreferences.${name}`)
    const fixed = FIXED[name as keyof WebPreferences]
    if (fixed !== undefined && value !== fixed) notImplemented(`webPreferences.${name}: ${String(value)}`)
  }
}
