import type { CdpSession } from './cdp.ts'
import { answerOf } from './protocol.ts'
import { fromWeb } from './schemes.ts'


/** What is used of `Fetch.requestPaused`. */
export interface PausedRequest {
  readonly requestId: string
  readonly frameId: string
  readonly resourceType: string
  readonly redirectedRequestId?: string
  readonly request: { readonly url: string; readonly method: string; readonly headers: object; readonly postData?: string }
}

/** Addresses that tests reach; nothing else is there for pages of an app under test. */
const LOOPBACK = /^(127\.\d+\.\d+\.\d+|localhost|\[::1\])$/

/** Lets a page load what Electron would: what the app's schemes answer, and servers on this machine. */
export async function interceptRequests(session: CdpSession, mayGo: (request: PausedRequest) => Promise<boolean>): Promise<void> {
  session.on('Fetch.requestPaused', (paused) => {
    void settle(session, paused, mayGo).catch(() => {
      // The page is gone, and its request with it.
    })
  })
  await session.send('Fetch.enable', { patterns: [{ urlPattern: '*' }] })
}

async function settle(session: CdpSession, paused: PausedRequest, mayGo: (request: PausedRequest) => Promise<boolean>): Promise<void> {
  const { requestId, resourceType, request } = paused
  const fail = (errorReason: 'Aborted' | 'Failed' | 'InternetDisconnected') => session.send('Fetch.failRequest', { requestId, errorReason })
  if (resourceType === 'Document' && !(await mayGo(paused))) {
    await fail('Aborted')
    return
  }
  const url = fromWeb(request.url)
  if (url === request.url) {
    if (LOOPBACK.test(new URL(url).hostname)) await session.send('Fetch.continueRequest', { requestId })
    else await fail('InternetDisconnected')
    return
  }
  const scheme = new URL(url).protocol.slice(0, -1)
  const response = await responseOf(scheme, url, request)
  if (response === undefined || response.type === 'error') {
    await fail('Failed')
    return
  }
  await session.send('Fetch.fulfillRequest', {
    requestId,
    responseCode: response.status,
    responseHeaders: [...response.headers].map(([name, value]) => ({ name, value })),
    body: Buffer.from(await response.arrayBuffer()).toString('base64')
  })
}

async function responseOf(scheme: string, url: string, { method, headers, postData }: PausedRequest['request']): Promise<Response | undefined> {
  const shown = Object.entries(headers as Record<string, string>).map(([name, value]) => [name, fromWeb(value)] as [string, string])
  const body = postData === undefined ? {} : { body: postData }
  try {
    return await answerOf(scheme, new Request(url, { method, headers: shown, ...body }))
  } catch (error) {
    process.stderr.write(`The handler of ${scheme} failed at ${url}: ${String(error)}\n`)
    return undefined
  }
}
