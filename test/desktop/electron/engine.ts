import { Chromium } from './chromium.ts'
import type { CdpSession } from './cdp.ts'
import { interceptRequests } from './requests.ts'

/** A page of the browser, held before its first document by whoever takes it. */
export interface Target {
  readonly id: string
  readonly session: CdpSession
  /** The page that opened it with `window.open` or a link. */
  readonly opener: string | undefined
}

/** What becomes of a page that a page opened. */
export interface Decision {
  readonly action: 'allow' | 'deny'
  /** To be called when the page is there, or gone. */
  settle(): void
}

export const WELCOME: Decision = { action: 'allow', settle() {} }

let chromium: Chromium | undefined
const wanted = new Map<string, (target: Target) => void>()
const early = new Map<string, Target>()
const gone = new Set<(targetId: string) => void>()
/** What was decided on pages that pages opened, by their main frame. */
const popups = new Map<string, Promise<Decision>>()
let decide: (target: Target) => Promise<Decision> = async () => WELCOME

/** Starts the browser, before the app is ready. */
export async function startEngine(profile: string): Promise<void> {
  chromium = await Chromium.launch(profile)
  const { browser } = chromium.connection
  browser.on('Target.attachedToTarget', ({ sessionId, targetInfo, waitingForDebugger }) => {
    const session = chromium!.connection.session(sessionId)
    const target: Target = { id: targetInfo.targetId, session, opener: targetInfo.openerId }
    if (targetInfo.type !== 'page') {
      if (waitingForDebugger) void session.send('Runtime.runIfWaitingForDebugger')
      return
    }
    const take = wanted.get(target.id)
    if (take !== undefined) take(target)
    else early.set(target.id, target)
    // A page that the stand-in asked for is known by its id in a moment; any other was opened by a page.
    if (target.opener !== undefined) void settlePopup(target)
  })
  browser.on('Target.detachedFromTarget', ({ targetId }) => {
    for (const hear of [...gone]) hear(targetId!)
  })
  await interceptRequests(browser, async (frameId) => (await popups.get(frameId))?.action !== 'deny')
  const all = { autoAttach: true, waitForDebuggerOnStart: true, flatten: true }
  await browser.send('Target.setAutoAttach', all)
}

/** Where tests connect to; undefined before the app is ready. */
export function debuggingEndpoint(): string | undefined {
  return chromium?.endpoint
}

export function stopEngine(): void {
  chromium?.close()
}

/** Opens a page that waits: it goes on at `Runtime.runIfWaitingForDebugger`. */
export async function openTarget(): Promise<Target> {
  const { targetId } = await browser().send('Target.createTarget', { url: 'about:blank' })
  const target = early.get(targetId)
  early.delete(targetId)
  if (target !== undefined) return target
  return new Promise((resolve) => {
    wanted.set(targetId, (late) => {
      wanted.delete(targetId)
      resolve(late)
    })
  })
}

export async function closeTarget(id: string): Promise<void> {
  await browser().send('Target.closeTarget', { targetId: id })
}

/** Hears of every page that is gone; the answer ends that. */
export function onTargetGone(hear: (targetId: string) => void): () => void {
  gone.add(hear)
  return () => gone.delete(hear)
}

/** Decides what becomes of pages that pages open. */
export function onPopup(answer: (target: Target) => Promise<Decision>): void {
  decide = answer
}

/** A page that waits holds up its opener, so that it goes on at once; what it loads waits for the decision. */
async function settlePopup(target: Target): Promise<void> {
  const decision = decide(target)
  popups.set(target.id, decision)
  await target.session.send('Runtime.runIfWaitingForDebugger').catch(() => {
    // It is closed already.
  })
  const { action, settle } = await decision
  if (action === 'deny') await closeTarget(target.id).catch(() => {})
  settle()
}

function browser(): CdpSession {
  if (chromium === undefined) throw new Error('The browser is not there before the app is ready.')
  return chromium.connection.browser
}
