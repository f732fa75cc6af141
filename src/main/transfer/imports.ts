import { randomBytes } from 'node:crypto'
import type { ImportReport, ImportView, Outcome, Skipped } from '../../shared/control/transfer-views.ts'
import { ProtocolError } from '../../shared/errors.ts'
import type { Bus } from '../bus/bus.ts'
import type { Clock } from '../bus/clock.ts'
import type { CheckedFile } from '../bus/transfer/export-file.ts'
import { totalOfCounts } from '../bus/transfer/format.ts'
import { oneAtATime } from '../one-at-a-time.ts'
import { Upload, type UploadPart } from './upload.ts'

export interface ImportsOptions {
  readonly bus: Bus
  readonly clock: Clock
  /** A folder that is for files on their way in alone. */
  readonly folder: string
  /** Digest of the main key, as it is now. */
  mainDigest(): string
  onChange(): void
  /** Hears of faults that are ours. */
  onError(error: unknown): void
}

/** A piece of a file. `id`: of the import that it belongs to; null for a new one. */
export interface Piece {
  readonly id: string | null
  readonly name: string
  readonly part: UploadPart
  readonly offset: number
  readonly bytes: Buffer
}

export interface StartOptions {
  readonly digests: ReadonlyMap<string, string>
  /** Does what is left when all records are there; resolves with sentences for the report. */
  conclude(outcomes: readonly Outcome[]): Promise<readonly string[]>
}

/** The one import that there is at a time, with all that is known of its file. */
interface Current {
  readonly id: string
  readonly name: string
  readonly upload: Upload
  readonly stop: AbortController
  view: Omit<ImportView, 'id' | 'name' | 'bytes'>
  checked?: CheckedFile
}

const ARRIVING: Current['view'] = { state: 'arriving', problem: null, preview: null, done: 0, total: 0, report: null }
const BUSY: ReadonlySet<ImportView['state']> = new Set(['checking', 'importing'])

/** Files on their way in, one at a time: their bytes arrive, they are checked, shown, and on demand imported. */
export class Imports {
  readonly #options: ImportsOptions
  #current: Current | undefined

  constructor(options: ImportsOptions) {
    this.#options = options
    // A bus that was killed leaves what had arrived.
    Upload.clear(options.folder)
  }

  get view(): ImportView | null {
    return this.#current === undefined ? null : viewOf(this.#current)
  }

  /** Takes in a piece of a file; the first one takes the place of an import that does nothing. Throws 404 and 429. */
  readonly upload = oneAtATime(async ({ id, name, part, offset, bytes }: Piece): Promise<ImportView> => {
    const current = id === null ? this.#begin(name) : this.#find(id)
    if (current.view.state !== 'arriving') throw new ProtocolError('invalid_request', 'This file is complete already; begin again with another one.')
    await current.upload.append(part, offset, bytes)
    return viewOf(current)
  })

  /** The file is complete: begins to look through it. */
  check(id: string): ImportView {
    const current = this.#find(id)
    if (current.view.state !== 'arriving') throw new ProtocolError('invalid_request', 'This file was checked already.')
    this.#change(current, { state: 'checking' })
    void this.#check(current)
    return viewOf(current)
  }

  /** What a check found, of a file that can be imported. Throws 404 and `invalid_request`. */
  checkedFile(id: string): CheckedFile {
    const { view, checked } = this.#find(id)
    if (checked !== undefined && (view.state === 'ready' || view.state === 'failed')) return checked
    throw new ProtocolError('invalid_request', 'This file cannot be imported now: it is not checked, or its import has begun.')
  }

  /** Begins to import a file that was checked. Throws 404 and `invalid_request`. */
  start(id: string, options: StartOptions): ImportView {
    const { preview } = this.checkedFile(id)
    const current = this.#find(id)
    this.#change(current, { state: 'importing', problem: null, done: 0, total: totalOfCounts(preview.counts) })
    void this.#run(current, options)
    return viewOf(current)
  }

  /** Forgets a file; an import that is under way ends, and what it added stays. */
  drop(id: string): void {
    this.#forget(this.#find(id))
    this.#options.onChange()
  }

  /** Ends what is under way, for the end of the bus. */
  close(): void {
    if (this.#current !== undefined) this.#forget(this.#current)
  }

  #begin(name: string): Current {
    if (this.#current !== undefined) {
      if (BUSY.has(this.#current.view.state)) {
        throw new ProtocolError('limit_exceeded', 'Another file is being imported; wait for its end, or stop it.', 30)
      }
      this.#forget(this.#current)
    }
    const id = randomBytes(16).toString('hex')
    const upload = Upload.begin(this.#options.folder, id)
    this.#current = { id, name, upload, stop: new AbortController(), view: ARRIVING }
    this.#options.onChange()
    return this.#current
  }

  #find(id: string): Current {
    if (this.#current?.id === id) return this.#current
    throw new ProtocolError('not_found', 'This import is not there any more; choose the file again.')
  }

  #forget(current: Current): void {
    current.stop.abort()
    current.upload.remove()
    if (this.#current === current) this.#current = undefined
  }

  async #check(current: Current): Promise<void> {
    const { bus, clock } = this.#options
    try {
      const checked = await bus.reader.ask('checkImport', this.#fileOf(current), clock.now(), current.stop.signal)
      current.checked = checked
      this.#change(current, { state: 'ready', preview: checked.preview, total: totalOfCounts(checked.preview.counts) })
    } catch (error) {
      this.#fail(current, 'refused', error)
      current.upload.remove()
    }
  }

  async #run(current: Current, { digests, conclude }: StartOptions): Promise<void> {
    const { signal } = current.stop
    const onProgress = (done: number): void => this.#change(current, { done })
    try {
      const report = await this.#options.bus.importing.run({ file: this.#fileOf(current), digests, signal, onProgress })
      const notes = await conclude(report.outcomes)
      this.#change(current, { state: 'done', report: { ...withChecked(report, current.checked!.preview.skipped), notes } })
      current.upload.remove()
    } catch (error) {
      this.#fail(current, 'failed', error)
    }
  }

  #fail(current: Current, state: 'refused' | 'failed', error: unknown): void {
    if (current.stop.signal.aborted) return
    const isExpected = error instanceof ProtocolError
    if (!isExpected) this.#options.onError(error)
    const problem = isExpected ? error.message : 'Something went wrong inside the bus; its log says more.'
    this.#change(current, { state, problem })
  }

  #fileOf({ upload }: Current) {
    return { path: upload.path, mainDigest: this.#options.mainDigest() }
  }

  #change(current: Current, change: Partial<Current['view']>): void {
    current.view = { ...current.view, ...change }
    if (this.#current === current) this.#options.onChange()
  }
}

/** What the check has left out stands beside what became of the rest. */
function withChecked({ outcomes, skipped }: Omit<ImportReport, 'notes'>, before: readonly Skipped[]): Omit<ImportReport, 'notes'> {
  const countOf = (what: Outcome['what']): number => before.reduce((sum, one) => (one.what === what ? sum + one.count : sum), 0)
  const all = outcomes.map((outcome) => ({ ...outcome, skipped: outcome.skipped + countOf(outcome.what) }))
  return { outcomes: all, skipped: [...before, ...skipped] }
}

function viewOf({ id, name, upload, view }: Current): ImportView {
  return { id, name, bytes: upload.bytes, ...view }
}
