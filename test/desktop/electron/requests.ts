import { setTimeout } from 'node:timers/promises'
import type { CdpSession } from './cdp.ts'
import type { FrameTree } from './frames.ts'
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

/** Milliseconds in which a page tells of a frame that asks for its first document. */
const FRAME_PATIENCE_MS = 250

/** Addresses that tests reach; nothing else is there for pages of an app under test. */
const LOOPBACK = /^(127\.\d+\.\d+\.\d+|localhost|\[::1\])$/

/** A page whose requests these are. */
export interface RequestOwner {
  readonly frames: FrameTree
  /** Whether a document may be loaded into its frame. */
  mayGo(request: PausedRequest): Promise<boolean>
}

const owners = new Set<RequestOwner>()

/** Has a page asked about its documents, until the answer is called. */
export function ownRequests(owner: RequestOwner): () => void {
  owners.add(owner)
  return () => owners.delete(owner)
}

/**
 * Lets pages load what Electron would: what the app's schemes answer, and servers on this machine. All requests of the
 * browser come by here, from their very first. `isWelcome` decides on pages that were opened by pages.
 */
export async function interceptRequests(browser: CdpSession, isWelcome: (frameId: string) => Promise<boolean>): Promise<void> {
  browser.on('Fetch.requestPaused', (paused) => {
    void settle(browser, paused, isWelcome).catch(() => {
      // The page is gone, and its request with it.
    })
  })
  await browser.send('Fetch.enable', { patterns: [{ urlPattern: '*' }] })
}

/** A frame is told of by its page and by its first request, in any order. */
async function ownerOf(frameId: string): Promise<RequestOwner | undefined> {
  const end = performance.now() + FRAME_PATIENCE_MS
  for (;;) {
    const owner = [...owners].find(({ frames }) => frames.find(frameId) !== null)
    if (owner !== undefined || performance.now() > end) return owner
    await setTimeout(5)
  }
}

async function mayLoad(paused: PausedRequest, isWelcome: (frameId: string) => Promise<boolean>): Promise<boolean> {
  if (paused.resourceType !== 'Document') return true
  if (!(await isWelcome(paused.frameId))) return false
  const owner = await ownerOf(paused.frameId)
  return owner === undefined || owner.mayGo(paused)
}

async function settle(session: CdpSession, paused: PausedRequest, isWelcome: (frameId: string) => Promise<boolean>): Promise<void> {
  const { requestId, request } = paused
  const fail = (errorReason: 'Aborted' | 'Failed' | 'InternetDisconnected') => session.send('Fetch.failRequest', { requestId, errorReason })
  if (!(await mayLoad(paused, isWelcome))) {
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
