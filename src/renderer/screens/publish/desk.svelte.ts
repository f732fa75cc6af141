import { ControlError } from '../../../shared/control/transport.ts'
import type { Template } from '../../../shared/control/library-views.ts'
import { parseJson } from '../../lib/json/parse.ts'
import type { Interface } from '../../lib/state/interface.ts'
import { asControlError } from '../../lib/state/query.svelte.ts'
import { hrefOf } from '../../lib/state/router.svelte.ts'
import { problemsOf, type Problems } from './checks.ts'
import { blankDraft, draftOfIntent, draftOfTemplate, publicationOf, readable, type Draft, type DraftField, type Publication } from './draft.ts'
import { TemplateRuns } from './runs.svelte.ts'
import { withInitial } from './schema/initial.ts'
import { loadSchema } from './schema/load.ts'
import { jsonOf } from './schema/nodes.ts'
import type { PayloadSchema } from './schema/payload-schema.ts'
import type { SchemaProblem } from './schema/problems.ts'
import type { Start } from './start.ts'

/** What was published last, to be followed. */
export interface Published {
  readonly id: string
  /** Publishes the same once more. Rejects with ControlError. */
  again(): Promise<Published>
}

/** What the bus said of a field, and the value that it said it of. */
interface Refused {
  readonly field: DraftField
  readonly value: unknown
  readonly text: string
}

/** Where an intent is written and published: the draft, the template it belongs to, and what came of it. */
export class Desk {
  draft = $state<Draft>(blankDraft())
  /** The template that the draft belongs to. */
  template = $state.raw<Template | null>(null)
  /** What the template's schema says; null without one, and until it is loaded. */
  schema = $state.raw<PayloadSchema | null>(null)
  view = $state<'form' | 'json'>('json')
  /** True from an attempt to publish: what is not there yet is no mistake before. */
  hasTried = $state(false)
  /** Why the bus refused, where that is about no field. */
  refusal = $state.raw<string | null>(null)
  isBusy = $state(false)
  /** Why what the address asks for could not be loaded. */
  loadFailure = $state.raw<ControlError | null>(null)
  published = $state.raw<Published | null>(null)
  readonly runs: TemplateRuns
  readonly #shared: Interface
  #refused = $state.raw<Refused | null>(null)
  /** The draft as it was loaded, saved or published last, as JSON. */
  #kept = $state.raw(JSON.stringify(blankDraft()))
  #turn = 0

  /** Whether something would be lost if another draft took this one's place. */
  readonly isDirty = $derived(JSON.stringify(this.draft) !== this.#kept)
  readonly #allMisfits = $derived(this.schema?.problemsOf(this.draft.payload) ?? [])
  /** How the payload does not fit the template's schema, as far as it is time to say so. */
  readonly misfits: readonly SchemaProblem[] = $derived(this.hasTried ? this.#allMisfits : this.#allMisfits.filter(({ isMissing }) => !isMissing))
  readonly #problems = $derived(problemsOf(this.draft))
  /** What is wrong with the fields, as far as it is time to say so. */
  readonly problems: Problems = $derived.by(() => {
    const { goal, ...others } = this.#problems
    const refused = this.#refused
    const isStanding = refused !== null && this.draft[refused.field] === refused.value
    return { ...(isStanding && { [refused.field]: refused.text }), ...(this.hasTried && goal !== undefined && { goal }), ...others }
  })

  constructor(shared: Interface) {
    this.#shared = shared
    this.runs = new TemplateRuns(shared)
  }

  /** The draft as what is published or kept under a name. */
  get publication(): Publication {
    return publicationOf(this.draft)
  }

  /** Takes up what an address asks for. What was written is not thrown away without a question. */
  async start(start: Start): Promise<void> {
    if (start.kind === 'nothing') return
    const turn = ++this.#turn
    const mayReplace = await this.#mayReplace()
    if (turn !== this.#turn) return
    if (!mayReplace) return this.#shared.router.replace(this.#address)
    this.loadFailure = null
    try {
      const { draft, template } = await this.#load(start)
      if (turn === this.#turn) await this.#lay(draft, template)
    } catch (error) {
      if (turn === this.#turn) this.loadFailure = asControlError(error)
    }
  }

  /** Begins anew. */
  async clear(): Promise<void> {
    if (!(await this.#mayReplace())) return
    await this.#lay(blankDraft(), null)
    this.loadFailure = null
    this.#shared.router.replace(this.#address)
  }

  /** Publishes the draft, if it is in order. Resolves to whether it was published. */
  async publish(): Promise<boolean> {
    if (this.isBusy || !this.#isPublishable()) return false
    const { publication, published: before } = this
    const { idempotencyKey } = this.draft
    const isDone = await this.#busy(async () => {
      this.published = await this.#publish(publication, idempotencyKey)
      this.hasTried = false
      this.loadFailure = null
      this.#keep()
    })
    if (isDone && this.published!.id === before?.id) {
      this.#shared.toasts.say('Nothing new: the bus knows this idempotency key from the intent before.')
    }
    return isDone
  }

  /** Publishes once more what was published last. */
  async publishAgain(): Promise<void> {
    const { published } = this
    if (published === null || this.isBusy) return
    this.isBusy = true
    await this.#shared.attempt(async () => (this.published = await published.again()))
    this.isBusy = false
  }

  /** Publishes what a template says; one whose payload still lacks something is opened instead. */
  async run(template: Template): Promise<void> {
    const { toasts, router } = this.#shared
    await this.#shared.attempt(async () => {
      const schema = template.schema === null ? null : await loadSchema(template.schema)
      if ((schema?.problemsOf(template.payload).length ?? 0) > 0) {
        toasts.say(`“${template.name}” lacks values that its schema asks for: fill them in and publish.`)
        router.go(hrefOf('publish', { params: { template: template.id } }))
      } else {
        this.published = await this.#run(template)
      }
    })
  }

  /** Whether the draft can be kept as a template: values that its schema asks for may come later. */
  get isKeepable(): boolean {
    return Object.keys(this.#problems).length === 0
  }

  /** Keeps the changes in the template that the draft belongs to. */
  async save(): Promise<void> {
    const { template } = this
    if (template === null || !this.showProblems()) return
    await this.#busy(async () => {
      const { id, name, schema } = template
      await this.saved(await this.#shared.call('templates.save', { id, name, ...this.publication, schema }))
      this.#shared.toasts.say(`Saved “${name}”.`)
    })
  }

  /** Says what keeps the draft from being a template. Answers whether nothing does. */
  showProblems(): boolean {
    if (!this.isKeepable) this.hasTried = true
    return this.isKeepable
  }

  /** The draft was kept as this template. */
  async saved(template: Template): Promise<void> {
    this.#keep()
    await this.#attach(template)
    this.#shared.router.replace(this.#address)
  }

  /** A template got another name or schema. */
  async changed(template: Template): Promise<void> {
    if (template.id === this.template?.id) await this.#attach(template)
  }

  /** Takes over what became of the template elsewhere. */
  async sync(templates: readonly Template[]): Promise<void> {
    const { template } = this
    if (template === null) return
    const now = templates.find(({ id }) => id === template.id)
    if (now === undefined) return this.#attach(null)
    if (now.updatedAt <= template.updatedAt) return
    if (this.isDirty) await this.#attach(now)
    else await this.#lay(draftOfTemplate(now), now)
  }

  get #address(): string {
    return hrefOf('publish', { params: { template: this.template?.id ?? '' } })
  }

  #isPublishable(): boolean {
    this.hasTried = true
    this.refusal = null
    this.#refused = null
    return Object.keys(this.#problems).length === 0 && this.#allMisfits.length === 0
  }

  async #busy(action: () => Promise<void>): Promise<boolean> {
    this.isBusy = true
    try {
      await action()
      return true
    } catch (error) {
      this.#refuse(error)
      return false
    } finally {
      this.isBusy = false
    }
  }

  /** Shows a refusal where it belongs. */
  #refuse(error: unknown): void {
    const { code, field, message } = asControlError(error)
    const about = (code === 'idempotency_conflict' ? 'idempotencyKey' : field) ?? ''
    if (about in this.draft) this.#refused = { field: about as DraftField, value: this.draft[about as DraftField], text: message }
    else this.refusal = message
  }

  async #mayReplace(): Promise<boolean> {
    if (!this.isDirty) return true
    const { goal } = this.draft
    return this.#shared.confirmation.ask({
      title: 'Replace what you have written?',
      text: `${goal === '' ? 'It' : `The intent for “${goal}”`} was neither published nor saved as a template.`,
      action: 'Replace it',
      isDangerous: true
    })
  }

  async #load(start: Exclude<Start, { kind: 'nothing' }>): Promise<{ draft: Draft; template: Template | null }> {
    if (start.kind === 'given') return { draft: { ...blankDraft(), ...start.fields }, template: null }
    if (start.kind === 'intent') return { draft: draftOfIntent(await this.#shared.call('intents.detail', { id: start.id })), template: null }
    const template = (await this.#shared.call('templates.list', {})).find(({ id }) => id === start.id)
    if (template !== undefined) return { draft: draftOfTemplate(template), template }
    throw new ControlError({ code: 'not_found', message: 'There is no such template any more. The others are listed below.' })
  }

  /** Puts a draft in the place of the one before. */
  async #lay(draft: Draft, template: Template | null): Promise<void> {
    this.draft = draft
    this.hasTried = false
    this.refusal = null
    this.#refused = null
    this.#keep()
    await this.#attach(template)
  }

  async #attach(template: Template | null): Promise<void> {
    this.template = template
    const text = template?.schema ?? null
    if (text === (this.schema?.text ?? null) && this.schema?.form) return this.#fillIn()
    this.schema = text === null ? null : await loadSchema(text)
    this.view = this.schema?.form ? 'form' : 'json'
    this.#fillIn()
  }

  /** Values that the schema gives by itself. Nobody would miss them, so they are no change. */
  #fillIn(): void {
    const node = parseJson(this.draft.payload)
    if (!this.schema?.form || node === undefined) return
    const wasDirty = this.isDirty
    const filled = jsonOf(withInitial(this.schema.form, node))
    if (filled !== jsonOf(node)) this.draft.payload = readable(filled)
    if (!wasDirty) this.#keep()
  }

  async #publish(publication: Publication, idempotencyKey: string): Promise<Published> {
    const { id } = await this.#shared.call('intents.publish', { ...publication, ...(idempotencyKey !== '' && { idempotencyKey }) })
    return { id, again: () => this.#publish(publication, '') }
  }

  async #run(template: Template): Promise<Published> {
    const { id } = await this.#shared.call('templates.run', { id: template.id })
    this.runs.note(template.id, id)
    return { id, again: () => this.#run(template) }
  }

  #keep(): void {
    this.#kept = JSON.stringify(this.draft)
  }
}

const DESKS = new WeakMap<Interface, Desk>()

/** The desk of an interface: what was written stays when one looks at another screen. */
export function deskOf(shared: Interface): Desk {
  // Under a root of its own: what is derived would end with the component that asks first.
  if (!DESKS.has(shared)) $effect.root(() => void DESKS.set(shared, new Desk(shared)))
  return DESKS.get(shared)!
}
