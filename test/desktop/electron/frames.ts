import { fromWeb } from './schemes.ts'
import { StrictEmitter } from './strict.ts'

interface FrameRecord {
  readonly id: string
  readonly parent: string | null
  readonly routingId: number
  url: string
  name: string
  isDetached: boolean
}

let lastRoutingId = 0

/** A frame as the main process sees it. */
export class WebFrameMain extends StrictEmitter {
  readonly #tree: FrameTree
  readonly #record: FrameRecord

  constructor(tree: FrameTree, record: FrameRecord) {
    super()
    this.#tree = tree
    this.#record = record
  }

  get url(): string {
    return fromWeb(this.#record.url)
  }

  get origin(): string {
    return fromWeb(URL.parse(this.#record.url)?.origin ?? 'null')
  }

  get name(): string {
    return this.#record.name
  }

  get parent(): WebFrameMain | null {
    return this.#record.parent === null ? null : this.#tree.find(this.#record.parent)
  }

  get top(): WebFrameMain | null {
    return this.#tree.main
  }

  get frames(): WebFrameMain[] {
    return this.#tree.childrenOf(this.#record.id)
  }

  get routingId(): number {
    return this.#record.routingId
  }

  get processId(): number {
    return this.#tree.processId
  }

  get detached(): boolean {
    return this.#record.isDetached
  }

  isDestroyed(): boolean {
    return this.#record.isDetached
  }

  send(channel: string, ...args: unknown[]): void {
    this.#tree.send(this.#record.id, channel, args)
  }
}

/** The frames of a page. */
export class FrameTree {
  readonly processId: number
  readonly send: (frame: string, channel: string, args: readonly unknown[]) => void
  readonly #records = new Map<string, FrameRecord>()
  readonly #frames = new Map<string, WebFrameMain>()

  constructor(processId: number, send: FrameTree['send']) {
    this.processId = processId
    this.send = send
  }

  get main(): WebFrameMain | null {
    const main = [...this.#records.values()].find(({ parent }) => parent === null)
    return main === undefined ? null : this.find(main.id)
  }

  isMain(id: string): boolean {
    return this.#records.get(id)?.parent === null
  }

  get mainId(): string | undefined {
    return [...this.#records.values()].find(({ parent }) => parent === null)?.id
  }

  /** null for a frame that is gone. */
  find(id: string): WebFrameMain | null {
    return this.#frames.get(id) ?? null
  }

  childrenOf(id: string): WebFrameMain[] {
    return [...this.#records.values()].flatMap((record) => (record.parent === id ? this.find(record.id) ?? [] : []))
  }

  attach(id: string, parent: string | null): void {
    if (this.#records.has(id)) return
    const record = { id, parent, routingId: ++lastRoutingId, url: 'about:blank', name: '', isDetached: false }
    this.#records.set(id, record)
    this.#frames.set(id, new WebFrameMain(this, record))
  }

  detach(id: string): void {
    const record = this.#records.get(id)
    if (record === undefined) return
    record.isDetached = true
    this.#records.delete(id)
    this.#frames.delete(id)
  }

  detachAll(): void {
    for (const id of [...this.#records.keys()]) this.detach(id)
  }

  /** The frame shows another document. */
  commit(id: string, url: string, name?: string): void {
    const record = this.#records.get(id)
    if (record === undefined) return
    record.url = url
    if (name !== undefined) record.name = name
  }

  webUrlOf(id: string): string {
    return this.#records.get(id)?.url ?? ''
  }
}
