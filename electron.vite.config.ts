import { svelte } from '@sveltejs/vite-plugin-svelte'
import { defineConfig } from 'electron-vite'

export default defineConfig({
  main: {
    build: {
      // Dependencies stay outside the bundle: better-sqlite3 brings its own binary.
      externalizeDeps: true,
      rollupOptions: {
        input: {
          announcer: 'src/main/announcer.ts',
          'backup-thread': 'src/main/backup-thread.ts',
          'bus-thread': 'src/main/bus-thread.ts',
          headless: 'src/main/headless.ts',
          index: 'src/main/index.ts',
          reader: 'src/main/reader.ts'
        }
      }
    }
  },
  preload: {
    build: {
      rollupOptions: {
        input: 'src/main/desktop/preload.ts',
        // A page in the sandbox loads no modules: its preload script is one file of CommonJS.
        output: { format: 'cjs', entryFileNames: 'preload.cjs' }
      }
    }
  },
  renderer: {
    // Browsers load it too: no newer syntax than theirs, and small.
    plugins: [svelte()],
    build: {
      target: 'es2024',
      cssTarget: ['chrome123', 'firefox121', 'safari17.5'],
      minify: true,
      // Files, not data: URLs: the page's policy allows what this bus serves.
      assetsInlineLimit: 0,
      rollupOptions: {
        input: { index: 'src/renderer/index.html', panel: 'src/renderer/panel.html' }
      }
    }
  }
})
