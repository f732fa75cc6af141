import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { DEFAULT_SETTINGS } from '../../src/shared/control/settings.ts'
import type { ImportView, Outcome, TransferKind } from '../../src/shared/control/transfer-views.ts'
import { systemClock } from '../../src/main/bus/clock.ts'
import { digestOf } from '../../src/main/bus/keys.ts'
import { openSecrets } from '../../src/main/bus/transfer/sealing.ts'
import { Exports, type ExportOptions } from '../../src/main/transfer/exports.ts'
import { Imports, type ImportsOptions } from '../../src/main/transfer/imports.ts'
import { temporaryFolder } from '../support/folders.ts'
import { TestBus } from '../support/test-bus.ts'

export const PASSPHRASE = 'correct horse battery staple'

/** A bus whose time goes by itself: imports take steps by its timers. */
export function realBus(): TestBus {
  return new TestBus({ clock: systemClock })
}

/** All of an export, as the file would hold it. */
export async function exportOf({ bus }: TestBus, options: Partial<ExportOptions> = {}): Promise<string> {
  const exports = new Exports(bus.reader, systemClock)
  await bus.notesWritten()
  const { id } = await exports.begin({ settings: {}, ...options })
  let text = ''
  for (let part = 0, isLast = false; !isLast; part++) {
    const read = await exports.read(id, part)
    text += read.text
    isLast = read.isLast
  }
  return text
}

/** What a folder of imports of one bus does with files. */
export class Mover implements Disposable {
  readonly #bus: TestBus
  readonly #folder = temporaryFolder()
  readonly imports: Imports

  /** `options`: what is other than on a machine with much room and the settings that come with the bus. */
  constructor(bus: TestBus, options: Partial<ImportsOptions> = {}) {
    this.#bus = bus
    this.imports = new Imports({
      bus: bus.bus,
      clock: systemClock,
      folder: this.folder,
      mainDigest: () => digestOf('main key'),
      settings: () => DEFAULT_SETTINGS,
      freeBytes: async () => null,
      onChange: () => {},
      onError: (error) => console.error(error),
      ...options
    })
  }

  get folder(): string {
    return join(this.#folder.path, 'imports')
  }

  /** Hands a file in and waits for what its check says. */
  async check(file: string | Buffer, wal?: Buffer): Promise<ImportView> {
    const bytes = Buffer.from(file)
    const { id } = await this.imports.upload({ id: null, name: 'file', size: bytes.length, part: 'file', offset: 0, bytes })
    if (wal !== undefined) await this.imports.upload({ id, name: 'file', size: null, part: 'wal', offset: 0, bytes: wal })
    this.imports.check(id)
    return this.#settled('checking')
  }

  /** Hands a file in and imports it. Rejects where it is refused. */
  async import(file: string | Buffer, passphrase?: string, wal?: Buffer): Promise<ImportView> {
    const { id, state, problem } = await this.check(file, wal)
    if (state !== 'ready') throw new Error(problem ?? state)
    const { sealed } = this.imports.checkedFile(id)
    return this.start(id, passphrase === undefined ? [] : (await openSecrets(sealed, passphrase)).keys)
  }

  /** Imports a file that was checked, and waits for what becomes of it. */
  start(id: string, keys: readonly (readonly [id: string, digest: string])[] = []): Promise<ImportView> {
    this.imports.start(id, { digests: new Map(keys), conclude: async () => [], onEnd: () => {} })
    return this.#settled('importing')
  }

  async #settled(busy: ImportView['state']): Promise<ImportView> {
    while (this.imports.view!.state === busy) await pause(5)
    // What was noted beside the import is on disk, too.
    await this.#bus.bus.notesWritten()
    return this.imports.view!
  }

  [Symbol.dispose](): void {
    void this.imports.close()
    this.#folder[Symbol.dispose]()
  }
}

/** What became of one kind; what only keys have is there where it is some. */
export function outcomeOf({ report }: ImportView, what: TransferKind): Partial<Outcome> {
  const { what: _, named, completed, ...counts } = report!.outcomes.find((one) => one.what === what)!
  return { ...counts, ...(named > 0 && { named }), ...(completed > 0 && { completed }) }
}

/** An export with other lines, and an end that fits them. */
export function withLines(lines: readonly string[]): string {
  const text = lines.map((line) => `${line}\n`).join('')
  const sha256 = createHash('sha256').update(text).digest('hex')
  return `${text}${JSON.stringify({ type: 'end', lines: lines.length, sha256 })}\n`
}

/** The lines of an export without its end. */
export function linesOf(text: string): string[] {
  return text.split('\n').slice(0, -2)
}
