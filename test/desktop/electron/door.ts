import { debuggingEndpoint } from './engine.ts'
import * as electron from './index.ts'

/** From a test to the app under test: a function to run in the main process. */
export interface DoorQuestion {
  readonly id: number
  readonly source: string
  readonly argument: unknown
}

export type DoorAnswer =
  | { readonly kind: 'ready'; readonly endpoint: string }
  | { readonly kind: 'value'; readonly id: number; readonly value: unknown }
  | { readonly kind: 'error'; readonly id: number; readonly message: string }

/** Opens the test's way into this process, which the app does not see. */
export function openDoor(): { tellReady: () => void } {
  const { channel } = process
  const send = process.send?.bind(process) as ((answer: DoorAnswer) => void) | undefined
  if (channel === undefined || send === undefined) return { tellReady() {} }
  process.on('message', ({ id, source, argument }: DoorQuestion) => {
    void run(source, argument).then(
      (value) => send({ kind: 'value', id, value }),
      (error: unknown) => send({ kind: 'error', id, message: error instanceof Error ? (error.stack ?? error.message) : String(error) })
    )
  })
  // An app whose test is gone has nobody who would end it.
  process.on('disconnect', () => process.exit(1))
  // Electron's main process has no parent that it could send to.
  delete process.send
  return { tellReady: () => send({ kind: 'ready', endpoint: debuggingEndpoint()! }) }
}

async function run(source: string, argument: unknown): Promise<unknown> {
  const question = (0, eval)(`(${source})`) as (modules: typeof electron, argument: unknown) => unknown
  return question(electron, argument)
}
