import { BrowserWindow, nativeTheme, type BrowserWindowConstructorOptions, type WebContents } from 'electron'
import { pageUrl, type View } from './origin.ts'
import { built } from './resources.ts'

/** What is seen before the page is painted; the page's own background in both themes. */
const BACKGROUND = { dark: '#0f1114', light: '#f5f6f7' }

/** Opens the app's windows, all with the same restrictions, and knows which pages are theirs. */
export class OwnWindows {
  readonly #views = new WeakMap<WebContents, View>()

  open(view: View, options: BrowserWindowConstructorOptions, hash = ''): BrowserWindow {
    const window = new BrowserWindow({
      ...options,
      show: false,
      backgroundColor: nativeTheme.shouldUseDarkColors ? BACKGROUND.dark : BACKGROUND.light,
      webPreferences: {
        preload: built('preload/preload.cjs'),
        sandbox: true,
        contextIsolation: true,
        nodeIntegration: false,
        nodeIntegrationInWorker: false,
        nodeIntegrationInSubFrames: false,
        webSecurity: true,
        allowRunningInsecureContent: false,
        webviewTag: false,
        navigateOnDragDrop: false,
        safeDialogs: true,
        spellcheck: false
      }
    })
    this.#views.set(window.webContents, view)
    void window.loadURL(pageUrl(view, hash)).catch(() => {
      // A page that was left before it was loaded; one that fails to load is reported by its own event.
    })
    return window
  }

  /** What a page shows; undefined for one that is not in a window of the app. */
  viewOf(contents: WebContents): View | undefined {
    return this.#views.get(contents)
  }
}

/** Leads the page of a window to a place in it. */
export function navigate(window: BrowserWindow, view: View, hash: string): void {
  const { webContents } = window
  // A page under way hears no messages yet; it is sent there from its beginning.
  if (webContents.isLoadingMainFrame()) void window.loadURL(pageUrl(view, hash)).catch(() => {})
  else webContents.send('navigate', hash)
}
