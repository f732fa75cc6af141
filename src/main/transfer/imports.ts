import { randomBytes } from 'node:crypto'
import { MEGABYTE } from '../../shared/bytes.ts'
import type { Settings } from '../../shared/control/settings.ts'
import type { ImportEffects, ImportReport, ImportView, Outcome, Skipped } from '../../shared/control/transfer-views.ts'
import { ProtocolError } from '../../shared/errors.ts'
import { totalOfCounts } from '../../shared/transfer-words.ts'
import type { Bus } from '../bus/bus.ts'
import type { Clock } from '../bus/clock.ts'
import type { CheckedFile } from '../bus/transfer/export-file.ts'
import type { Progress } from '../bus/transfer/importing.ts'
import { oneAtATime } from '../one-at-a-time.ts'
import { settingChanges } from './portable-settings.ts'
import { checkRoom, checkSize, Upload, type UploadPart } from './upload.ts'

export interface ImportsOptions {
  readonly bus: Bus
  readonly clock: Clock
  /** A folder that is for files on their way in alone. */
  readonly folder: string
  /** Digest of the main key, as it is now. */
  mainDigest(): string
  /** As they are now. */
  settings(): Settings
  /** Bytes that may still be written to the disks of this folder and of the database; null where that is not known. */
  freeBytes(): Promise<number | null>
  onChange(): void
  /** Hears of faults that are ours. */
  onError(error: unknown): void
}

/** A piece of a file. `id`: of the import that it belongs to; null for a new one. */
export interface Piece {
  readonly id: string | null
  readonly name: string
  /** Of the first one: bytes of all parts, as far as they are known. */
  readonly size: number | null
  readonly part: UploadPart
  readonly offset: number
  readonly bytes: Buffer
}

export interface StartOptions {
  readonly digests: ReadonlyMap<string, string>
  /** Does what is left when all records are there, unless it is stopped before that; resolves with sentences for the report. */
  conclude(stopped: AbortSignal): Promise<readonly string[]>
  /** Hears once how the import ended, whatever way, before anybody else does. */
  onEnd(end: ImportEnd): void
}

/** How an import ended: `stopped` by somebody or with the bus. What it added stays, however it ended. */
export interface ImportEnd {
  readonly state: 'done' | 'failed' | 'stopped'
  /** Why it failed; null for the others. */
  readonly problem: string | null
  readonly outcomes: readonly Outcome[]
}

/** The one import that there is at a time, with all that is known of its file. */
interface Current {
  readonly id: string
  readonly name: string
  readonly upload: Upload
  readonly stop: AbortController
  /** What is done with it, until that has ended. */
  running: Promise<void>
  view: Omit<ImportView, 'id' | 'name' | 'bytes' | 'effects'>
  checked?: CheckedFile
}

const ARRIVING: Current['view'] = { state: 'arriving', problem: null, preview: null, done: 0, total: 0, report: null }
const BUSY: ReadonlySet<ImportView['state']> = new Set(['checking', 'importing'])
/** Seconds after which nobody is believed to go on: what has arrived takes room, and holds everything in clear. */
const PATIENCE: Partial<Record<ImportView['state'], number>> = { arriving: 300, ready: 3_600, failed: 3_600 }
/** Seconds that a call waits for the next state, and that the end of an import waits for such a call. */
const LONGEST_WAIT = 15
const WAIT_FOR_LISTENER = 3
/** Milliseconds between two looks at the disk that an import fills. */
const LOOK_MS = 500
/** Bytes that an intent takes less in the database than as a line of an export, which names every member. */
const NAMES_OF_A_LINE = 350

/** Files on their way in, one at a time: their bytes arrive, they are checked, shown, and on demand imported. */
export class Imports {
  readonly #options: ImportsOptions
  #current: Current | undefined
  /** Ends the patience with the current one. */
  #cancel: (() => void) | undefined
  /** Wakes those who wait for another state. */
  readonly #waiting = new Set<() => void>()
  /** Hears of the next one who waits. */
  #onWaiting: (() => void) | undefined
  /** Whether an import is about to end: until then nobody is sent away without having heard how. */
  #isEnding = false
  /** Ends when what was forgotten is gone from the disk, and what was under way with it has ended; never with an error. */
  #tidying: Promise<unknown>

  constructor(options: ImportsOptions) {
    this.#options = options
    // A bus that was killed leaves what had arrived.
    this.#tidying = Upload.clear(options.folder)
  }

  get view(): ImportView | null {
    return this.#current === undefined ? null : this.#viewOf(this.#current)
  }

  /**
   * Takes in a piece of a file; the first one takes the place of an import that does nothing. Throws 404, 413, 429, and 503 where
   * the disk has no room; then nothing of the file is left.
   */
  readonly upload = oneAtATime(async (piece: Piece): Promise<ImportView> => {
    const current = piece.id === null ? await this.#begin(piece) : this.#find(piece.id)
    if (current.view.state !== 'arriving') throw new ProtocolError('invalid_request', 'This file is complete already; begin again with another one.')
    // Of a piece that came twice the sender is told where to go on.
    if (piece.id !== null) current.upload.expect(piece.part, piece.offset)
    try {
      await this.#append(current, piece)
    } catch (error) {
      await this.#drop(current)
      throw error
    }
    this.#find(current.id)
    this.#expectMore(current)
    return this.#viewOf(current)
  })

  /** Resolves when an import does something else than `state`, after some seconds in any case, and when nobody waits any more. Throws 404. */
  async wait(id: string, state: ImportView['state'], gone: AbortSignal): Promise<ImportView> {
    if (this.#find(id).view.state === state && !gone.aborted) await this.#otherState(gone)
    return this.#viewOf(this.#find(id))
  }

  /**
   * Resolves once somebody waits for the end of the import, after a few seconds in any case. For what takes away the right to ask
   * later how it ended. Rejects when the import is stopped meanwhile.
   */
  async untilAwaited(stopped: AbortSignal): Promise<void> {
    this.#isEnding = true
    if (this.#waiting.size === 0) {
      await new Promise<void>((resolve) => {
        const cancel = this.#options.clock.after(WAIT_FOR_LISTENER, resolve)
        this.#onWaiting = () => {
          cancel()
          resolve()
        }
        stopped.addEventListener('abort', () => this.#onWaiting?.(), { once: true })
      })
      this.#onWaiting = undefined
    }
    stopped.throwIfAborted()
  }

  /** The file is complete: begins to look through it. */
  check(id: string): ImportView {
    const current = this.#find(id)
    if (current.view.state !== 'arriving') throw new ProtocolError('invalid_request', 'This file was checked already.')
    this.#change(current, { state: 'checking' })
    current.running = this.#check(current)
    return this.#viewOf(current)
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
    current.running = this.#run(current, options)
    return this.#viewOf(current)
  }

  /**
   * Forgets a file; an import that is under way ends, and what it added stays. Resolves when that is so, and the file is gone from
   * the disk. Throws 404.
   */
  async drop(id: string): Promise<void> {
    await this.#drop(this.#find(id))
  }

  /** Ends what is under way, for the end of the bus; resolves when it has ended. */
  async close(): Promise<void> {
    if (this.#current !== undefined) this.#forget(this.#current)
    await this.#tidying
  }

  async #begin({ name, size }: Piece): Promise<Current> {
    if (this.#current !== undefined) {
      if (BUSY.has(this.#current.view.state)) {
        throw new ProtocolError('limit_exceeded', 'Another file is being imported; wait for its end, or stop it.', 30)
      }
      this.#forget(this.#current)
    }
    // The room of the one before counts for this one.
    await this.#tidying
    checkSize(size ?? 0)
    checkRoom(await this.#options.freeBytes(), size ?? 0)
    const id = randomBytes(16).toString('hex')
    const upload = await Upload.begin(this.#options.folder, id)
    this.#current = { id, name, upload, stop: new AbortController(), running: Promise.resolve(), view: ARRIVING }
    this.#options.onChange()
    return this.#current
  }

  async #append({ id, upload }: Current, { part, offset, bytes }: Piece): Promise<void> {
    upload.expect(part, offset)
    checkRoom(await this.#options.freeBytes(), bytes.length)
    // Somebody may have dropped it meanwhile.
    this.#find(id)
    await upload.append(part, bytes)
  }

  #find(id: string): Current {
    if (this.#current?.id === id) return this.#current
    throw new ProtocolError('not_found', 'This import is not there any more; choose the file again.')
  }

  /** Resolves when nothing is left of it but what it added. */
  async #drop(current: Current): Promise<void> {
    this.#forget(current)
    this.#options.onChange()
    await this.#tidying
  }

  #forget(current: Current): void {
    current.stop.abort()
    this.#tidying = Promise.all([this.#tidying, current.upload.remove(), current.running])
    if (this.#current !== current) return
    this.#current = undefined
    this.#cancel?.()
    this.#wake()
  }

  /** Forgets it when nobody goes on with it. */
  #expectMore(current: Current): void {
    this.#cancel?.()
    const seconds = PATIENCE[current.view.state]
    this.#cancel = seconds === undefined ? undefined : this.#options.clock.after(seconds, () => void this.#drop(current))
  }

  #otherState(gone: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const end = (): void => {
        cancel()
        gone.removeEventListener('abort', end)
        this.#waiting.delete(end)
        resolve()
      }
      const cancel = this.#options.clock.after(LONGEST_WAIT, () => {
        if (!this.#isEnding) end()
      })
      gone.addEventListener('abort', end)
      this.#waiting.add(end)
      this.#onWaiting?.()
    })
  }

  #wake(): void {
    for (const end of [...this.#waiting]) end()
  }

  async #check(current: Current): Promise<void> {
    const { bus, clock } = this.#options
    try {
      const checked = await bus.reader.ask('checkImport', this.#fileOf(current), clock.now(), current.stop.signal)
      current.checked = checked
      this.#change(current, { state: 'ready', preview: checked.preview, total: totalOfCounts(checked.preview.counts) })
    } catch (error) {
      await current.upload.remove()
      this.#fail(current, 'refused', error)
    }
  }

  async #run(current: Current, { digests, conclude, onEnd }: StartOptions): Promise<void> {
    const full = new AbortController()
    const signal = AbortSignal.any([current.stop.signal, full.signal])
    let outcomes: readonly Outcome[] = []
    const onProgress = ({ count, result }: Progress): void => {
      outcomes = result.outcomes
      this.#change(current, { done: count })
    }
    const watch = setInterval(() => void this.#watchRoom(full), LOOK_MS)
    try {
      const report = await this.#options.bus.importing.run({ file: this.#fileOf(current), digests, signal, onProgress })
      const notes = await conclude(current.stop.signal)
      await current.upload.remove()
      onEnd({ state: 'done', problem: null, outcomes: report.outcomes })
      this.#change(current, { state: 'done', report: { ...withChecked(report, current.checked!.preview.skipped), notes } })
    } catch (error) {
      const isFull = error instanceof ProtocolError && error.code === 'storage_unavailable'
      // The room that the file takes is needed more for work.
      if (isFull) await current.upload.remove()
      const isStopped = current.stop.signal.aborted
      onEnd({ state: isStopped ? 'stopped' : 'failed', problem: isStopped ? null : problemOf(error), outcomes })
      this.#fail(current, isFull ? 'refused' : 'failed', error)
    } finally {
      clearInterval(watch)
      this.#isEnding = false
    }
  }

  /** Ends an import that fills the disk before the bus takes no work any more. */
  async #watchRoom(full: AbortController): Promise<void> {
    try {
      checkRoom(await this.#options.freeBytes(), 0)
    } catch (error) {
      full.abort(error)
    }
  }

  #fail(current: Current, state: 'refused' | 'failed', error: unknown): void {
    if (current.stop.signal.aborted) return
    if (!(error instanceof ProtocolError)) this.#options.onError(error)
    this.#change(current, { state, problem: problemOf(error) })
  }

  #fileOf({ upload }: Current) {
    return { path: upload.path, mainDigest: this.#options.mainDigest() }
  }

  #change(current: Current, change: Partial<Current['view']>): void {
    current.view = { ...current.view, ...change }
    if (this.#current !== current) return
    if (change.state !== undefined) {
      this.#expectMore(current)
      this.#wake()
    }
    this.#options.onChange()
  }

  #viewOf(current: Current): ImportView {
    const { id, name, upload, view } = current
    return { id, name, bytes: upload.bytes, ...view, effects: this.#effectsOf(current) }
  }

  #effectsOf({ checked, upload, view }: Current): ImportEffects | null {
    if (checked === undefined || (view.state !== 'ready' && view.state !== 'failed')) return null
    const here = this.#options.settings()
    const { totalBytes, freeBytes } = this.#options.bus.storage
    const { fulfilled, dead, expired } = checked.preview.counts.intents
    const spelledOut = checked.preview.origin === 'export' ? NAMES_OF_A_LINE * totalOfCounts(checked.preview.counts) : 0
    const megabytes = Math.ceil((totalBytes - freeBytes + Math.max(0, upload.bytes - spelledOut)) / MEGABYTE)
    const bound = here.maxDatabaseMegabytes
    // Only what is finished is deleted early.
    const isTooLarge = bound > 0 && megabytes > bound && fulfilled + dead + expired > 0
    return { settings: settingChanges(checked.settings ?? {}, here), tooLarge: isTooLarge ? { megabytes, bound } : null }
  }
}

function problemOf(error: unknown): string {
  return error instanceof ProtocolError ? error.message : 'Something went wrong inside the bus; its log says more.'
}

/** What the check has left out stands beside what became of the rest. */
function withChecked({ outcomes, skipped }: Omit<ImportReport, 'notes'>, before: readonly Skipped[]): Omit<ImportReport, 'notes'> {
  const countOf = (what: Outcome['what']): number => before.reduce((sum, one) => (one.what === what ? sum + one.count : sum), 0)
  const all = outcomes.map((outcome) => ({ ...outcome, skipped: outcome.skipped + countOf(outcome.what) }))
  return { outcomes: all, skipped: [...before, ...skipped] }
}
