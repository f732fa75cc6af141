import { createHash } from 'node:crypto'
import { statSync } from 'node:fs'
import { z } from 'zod'
import type { ImportPreview } from '../../../shared/control/transfer-views.ts'
import { ProtocolError } from '../../../shared/errors.ts'
import { formatId } from '../ids.ts'
import { statusName } from '../intents/intent.ts'
import type { Share } from '../reading/turns.ts'
import { parseObject, readRecord } from './export-records.ts'
import { badFile, cutOff, FORMAT, noCounts, VERSION, type End, type MutableCounts } from './format.ts'
import { LineReader, type Line } from './line-reader.ts'
import { isFromTomorrow, tomorrowOf } from './places.ts'
import type { FileRecord, ImportPage, ImportPosition, ImportRecord } from './records.ts'
import type { SealedSecrets } from './sealing.ts'

/** What a check finds, and what an import needs beside the records. */
export interface CheckedFile {
  readonly preview: ImportPreview
  readonly sealed: readonly SealedSecrets[]
  readonly settings: Readonly<Record<string, unknown>> | null
}

/** What a page holds at most: records, and bytes of the file. */
const PAGE_RECORDS = 200
const PAGE_BYTES = 262_144
const MAX_SECRET_LINES = 64

const header = z.object({
  format: z.literal(FORMAT),
  version: z.int(),
  app_version: z.string().max(64),
  created_at: z.number().min(0).max(1e10)
})

/** What the first line of every export begins with. */
const OPENING = `{"format":"${FORMAT}"`

/** An export of an Intent Bus. */
export class ExportFile {
  readonly #path: string

  constructor(path: string) {
    this.#path = path
  }

  /** Reads all of it once. Throws `invalid_request` for the first line that cannot be used, with its number. */
  async check(now: number, share: Share): Promise<CheckedFile> {
    using lines = new LineReader(this.#path)
    const bytes = statSync(this.#path).size
    const { created_at, app_version } = readHeader(lines.next())
    const found = new Findings(now)
    const hash = createHash('sha256')
    // The header was read already, but belongs to it.
    using again = new LineReader(this.#path)
    hash.update(again.next()!.bytes)
    await share.repeat(() => {
      const line = lines.next()
      if (line === undefined) throw cutOff()
      if (isEndLine(line)) {
        checkEnd(line, hash.digest('hex'))
        return true
      }
      hash.update(line.bytes)
      found.add(inLine(line, (text) => readRecord(text, now)), line)
      return false
    })
    if (lines.offset !== bytes) throw badFile(`There is more behind the end of the export, from line ${lines.number + 1} on: the file was changed.`)
    return found.result(created_at, app_version)
  }

  /** The records from a position on; the check has found that all of them can be read. */
  async page(position: ImportPosition, now: number, share: Share): Promise<ImportPage> {
    const offset = Number(position?.offset ?? 0)
    using lines = new LineReader(this.#path, offset, Number(position?.line ?? 0))
    if (offset === 0) lines.next()
    const records: ImportRecord[] = []
    let isEnd = false
    await share.repeat(() => {
      const line = lines.next()
      isEnd = line === undefined || isEndLine(line)
      if (isEnd) return true
      const record = inLine(line!, (text) => readRecord(text, now))
      if (record.type !== 'settings' && record.type !== 'secrets') records.push(record)
      return records.length >= PAGE_RECORDS || lines.offset - offset >= PAGE_BYTES
    })
    return { records, next: isEnd ? null : { offset: lines.offset, line: lines.number } }
  }
}

/** Gathers what a check finds. */
class Findings {
  readonly #now: number
  readonly #counts: MutableCounts = noCounts()
  readonly #sealed: SealedSecrets[] = []
  #settings: Readonly<Record<string, unknown>> | null = null

  constructor(now: number) {
    this.#now = now
  }

  add(record: FileRecord, { number }: Line): void {
    switch (record.type) {
      case 'intent': {
        if (isFromTomorrow(record, this.#now)) {
          const id = formatId(record.n, record.tail)
          throw badFile(`Line ${number}: the intent ${id} is from ${tomorrowOf(record)}: set the clock of this machine, then import again.`)
        }
        this.#counts.intents[statusName(record.status)]++
        return
      }
      case 'key':
        this.#counts.keys++
        return
      case 'template':
        this.#counts.templates++
        return
      case 'saved_view':
        this.#counts.savedViews++
        return
      case 'key_value':
        this.#counts.keyValues++
        return
      case 'settings':
        this.#settings = record.values
        return
      case 'secrets':
        if (this.#sealed.length === MAX_SECRET_LINES) throw badFile(`Line ${number}: there are too many lines of secrets.`)
        this.#sealed.push(record)
    }
  }

  result(createdAt: number, appVersion: string): CheckedFile {
    const preview: ImportPreview = {
      origin: 'export',
      createdAt,
      appVersion,
      counts: this.#counts,
      hasSettings: this.#settings !== null,
      hasSecrets: this.#sealed.length > 0,
      skipped: [],
      notes: []
    }
    return { preview, sealed: this.#sealed, settings: this.#settings }
  }
}

function readHeader(line: Line | undefined): z.infer<typeof header> {
  if (line === undefined) throw badFile('The file is empty.')
  const result = header.safeParse(inFirstLine(line))
  if (!result.success && !line.isWhole && line.text.startsWith(OPENING)) throw cutOff()
  if (!result.success) throw badFile('This is no export of an Intent Bus: its first line does not say that it is one.')
  if (result.data.version === VERSION) return result.data
  throw badFile(`A newer version of Intent Bus Desktop (${result.data.app_version}) wrote this export; install that version here, then import it.`)
}

function inFirstLine({ text }: Line): unknown {
  try {
    return parseObject(text)
  } catch {
    return undefined
  }
}

function isEndLine({ text }: Line): boolean {
  return text.startsWith('{"type":"end"')
}

function checkEnd(line: Line, sha256: string): void {
  const end = inLine(line, parseObject) as Partial<End>
  if (end.lines !== line.number - 1) throw badFile('Lines of the export are missing or were added: something changed the file. Export it anew.')
  if (end.sha256 !== sha256) throw badFile('The file is not as it was written: something changed it, or damaged it on its way. Export it anew.')
}

/** Says in which line something is wrong; what is wrong with a line without an end is that. */
function inLine<T>({ number, text, isWhole }: Line, read: (text: string) => T): T {
  try {
    return read(text)
  } catch (error) {
    if (error instanceof ProtocolError && !isWhole) throw cutOff()
    if (error instanceof ProtocolError) throw badFile(`Line ${number}: ${error.message.replace(/\.$/, '')}.`)
    throw error
  }
}
