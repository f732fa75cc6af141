import { createHash, randomBytes, type Hash } from 'node:crypto'
import type { ExportPart, ExportView, TransferCounts } from '../../shared/control/transfer-views.ts'
import { ProtocolError } from '../../shared/errors.ts'
import { APP_VERSION } from '../app-info.ts'
import type { Clock } from '../bus/clock.ts'
import type { Reader } from '../bus/reading/reader.ts'
import type { ExportCursor } from '../bus/transfer/exporting.ts'
import { lineOf } from '../bus/transfer/export-lines.ts'
import { FORMAT, VERSION } from '../bus/transfer/format.ts'
import { sealSecrets, type Secrets } from '../bus/transfer/sealing.ts'
import { oneAtATime } from '../one-at-a-time.ts'

/** Exports under way at a time, and the seconds after which nobody is believed to read on. */
const MAX_EXPORTS = 4
const PATIENCE = 300

export interface ExportOptions {
  readonly settings: object
  /** With them comes the passphrase that they are encrypted by. */
  readonly secrets?: { readonly clear: Omit<Secrets, 'keys'>; readonly passphrase: string }
}

/** Files of everything that moves to another bus, read part by part by whoever writes them. */
export class Exports {
  readonly #reader: Reader
  readonly #clock: Clock
  readonly #underWay = new Map<string, Export>()

  constructor(reader: Reader, clock: Clock) {
    this.#reader = reader
    this.#clock = clock
  }

  /** Begins an export. Throws 429 `limit_exceeded` for one too many. */
  async begin({ settings, secrets }: ExportOptions): Promise<ExportView> {
    const now = this.#clock.now()
    this.#forgetIdle(now)
    if (this.#underWay.size >= MAX_EXPORTS) {
      throw new ProtocolError('limit_exceeded', `${MAX_EXPORTS} exports are under way already; try again when one is done.`, 60)
    }
    const id = randomBytes(16).toString('hex')
    const { cursor, counts } = await this.#reader.ask('exportStart')
    const keys = secrets === undefined ? [] : await this.#reader.ask('exportDigests')
    const sealed = secrets === undefined ? [] : await sealSecrets({ ...secrets.clear, keys }, secrets.passphrase)
    const head = [
      lineOf(headerOf(counts, sealed.length > 0, now)),
      ...sealed.map((line) => lineOf({ type: 'secrets', ...line })),
      lineOf({ type: 'settings', values: settings })
    ]
    this.#underWay.set(id, new Export(this.#reader, head, cursor, now))
    return { id, name: `intent-bus-${new Date(now * 1000).toISOString().slice(0, 10)}.ndjson`, counts }
  }

  /** A part, in their order; the last one can be had again. Throws 404 for an export that nobody read on for long. */
  async read(id: string, part: number): Promise<ExportPart> {
    const found = this.#underWay.get(id)
    if (found === undefined) throw new ProtocolError('not_found', 'This export is over, or nobody read on for five minutes; begin again.')
    found.usedAt = this.#clock.now()
    return found.read(part)
  }

  #forgetIdle(now: number): void {
    for (const [id, { usedAt, isDone }] of this.#underWay) {
      if (isDone || Math.abs(now - usedAt) > PATIENCE) this.#underWay.delete(id)
    }
  }
}

/** One export: lines so far, and where to go on. */
class Export {
  readonly #reader: Reader
  readonly #hash: Hash = createHash('sha256')
  #head: readonly string[]
  #cursor: ExportCursor | null
  #lines = 0
  #last: { readonly part: number; readonly value: ExportPart } | undefined
  usedAt: number

  constructor(reader: Reader, head: readonly string[], cursor: ExportCursor, now: number) {
    this.#reader = reader
    this.#head = head
    this.#cursor = cursor
    this.usedAt = now
  }

  get isDone(): boolean {
    return this.#last?.value.isLast ?? false
  }

  readonly read = oneAtATime(async (part: number): Promise<ExportPart> => {
    if (part === this.#last?.part) return this.#last.value
    if (this.isDone || part !== (this.#last?.part ?? -1) + 1) {
      throw new ProtocolError('invalid_request', 'The parts of an export are read in their order; begin again.')
    }
    const value = await this.#next()
    this.#last = { part, value }
    return value
  })

  async #next(): Promise<ExportPart> {
    if (this.#head.length > 0) {
      const text = this.#head.join('')
      this.#head = []
      this.#count(text)
      return { text, isLast: false }
    }
    const page = await this.#reader.ask('exportPage', this.#cursor!)
    this.#cursor = page.next
    this.#count(page.text)
    if (page.next !== null) return { text: page.text, isLast: false }
    const end = lineOf({ type: 'end', lines: this.#lines, sha256: this.#hash.digest('hex') })
    return { text: page.text + end, isLast: true }
  }

  #count(text: string): void {
    this.#hash.update(text)
    for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) this.#lines++
  }
}

function headerOf(counts: TransferCounts, hasSecrets: boolean, now: number): object {
  const { savedViews, keyValues, ...others } = counts
  const contains = [...(hasSecrets ? ['secrets'] : []), 'settings', 'key', 'template', 'saved_view', 'key_value', 'intent']
  const spelled = { ...others, saved_views: savedViews, key_values: keyValues }
  return { format: FORMAT, version: VERSION, app_version: APP_VERSION, created_at: now, contains, counts: spelled }
}
