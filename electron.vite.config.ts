import { defineConfig } from 'electron-vite'

export default defineConfig({
  main: {
    build: {
      // Dependencies stay outside the bundle: better-sqlite3 brings its own binary.
      externalizeDeps: true,
      rollupOptions: {
        input: {
          headless: 'src/main/headless.ts',
          reader: 'src/main/reader.ts'
        }
      }
    }
  }
})
