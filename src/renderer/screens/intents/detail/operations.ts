import type { IntentView } from '../../../../shared/control/intent-views.ts'
import type { Question } from '../../../lib/state/confirmation.svelte.ts'
import type { Interface } from '../../../lib/state/interface.ts'
import { hrefOf } from '../../../lib/state/router.svelte.ts'
import { Copier } from '../../../lib/ui/copy.svelte.ts'
import { workerName } from './timeline.ts'

/** What operators do with one intent. Refusals become toasts; what happened shows by itself, through the feed. */
export class Operations {
  readonly #shared: Interface
  readonly #intent: () => IntentView
  readonly #copier = new Copier()

  /** `intent`: as it is when something is done. */
  constructor(shared: Interface, intent: () => IntentView) {
    this.#shared = shared
    this.#intent = intent
  }

  /** Into the dead letters, if the user agrees. */
  async cancel(): Promise<void> {
    const { id, status, worker } = this.#intent()
    const text =
      status === 'claimed'
        ? `${workerName(worker)} holds it and works on it: what it reports from now on is refused. The intent becomes a dead letter.`
        : 'No worker will get it. It becomes a dead letter, which can be retried.'
    const question = { title: 'Cancel this intent?', text, action: 'Cancel the intent', isDangerous: true }
    if (await this.#shared.confirmation.ask(question)) await this.#shared.attempt(() => this.#shared.call('intents.cancel', { id }))
  }

  /** Back into the queue, as good as new; asks first where something would be lost. */
  async retry(): Promise<void> {
    const question = lossByRetry(this.#intent())
    if (question !== null && !(await this.#shared.confirmation.ask(question))) return
    const { id } = this.#intent()
    await this.#shared.attempt(() => this.#shared.call('intents.retry', { id }))
  }

  /** Publishes the same once more, and says where it is. */
  async duplicate(): Promise<void> {
    const { id } = this.#intent()
    await this.#shared.attempt(async () => {
      const copy = await this.#shared.call('intents.duplicate', { id })
      const link = { text: 'Show the new intent', href: hrefOf('intents', { id: copy.id }) }
      this.#shared.toasts.say('Published once more.', link)
    })
  }

  /** `what` completes "Copied …". */
  async copy(text: string, what: string): Promise<void> {
    await this.#copier.copy(text)
    this.#shared.toasts.say(this.#copier.hasFailed ? 'The browser does not let this page copy.' : `Copied ${what}.`)
  }
}

/** What a retry would take away; null for nothing. */
function lossByRetry({ status, worker }: IntentView): Question | null {
  const title = 'Retry this intent?'
  const action = 'Retry the intent'
  if (status === 'claimed') {
    const holder = workerName(worker)
    const text = `${holder} holds it and works on it: what it reports from now on is refused, and another worker may start over.`
    return { title, text, action, isDangerous: true }
  }
  if (status === 'fulfilled') {
    const text = 'It was fulfilled: its result is cleared, and a worker does it once more.'
    return { title, text, action, isDangerous: true }
  }
  return null
}
