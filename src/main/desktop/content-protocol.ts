import { readFile } from 'node:fs/promises'
import { protocol } from 'electron'
import { CONTENT_HEADERS, contentFile } from './content-files.ts'
import { SCHEME } from './origin.ts'

/** Makes `app://` a secure scheme with origins of its own. Must be called before the app is ready. */
export function registerContentScheme(): void {
  protocol.registerSchemesAsPrivileged([{ scheme: SCHEME, privileges: { standard: true, secure: true, codeCache: true } }])
}

/** Serves the built interface under `app://`, from one folder and nothing beside it. */
export function serveContent(root: string): void {
  protocol.handle(SCHEME, async ({ method, url }) => {
    if (method !== 'GET') return refusal(405)
    const file = contentFile(root, url)
    if (file === undefined) return refusal(404)
    try {
      return new Response(await readFile(file.path), { headers: { ...CONTENT_HEADERS, 'Content-Type': file.mimeType } })
    } catch {
      return refusal(404)
    }
  })
}

function refusal(status: 404 | 405): Response {
  return new Response(null, { status, headers: CONTENT_HEADERS })
}
