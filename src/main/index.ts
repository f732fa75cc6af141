import { runDesktop } from './desktop/app.ts'

/** Where Electron starts. Everything that must happen before the app is ready happens while this module is loaded. */
runDesktop()
