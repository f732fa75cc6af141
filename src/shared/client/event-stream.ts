/** One event of a stream of server-sent events. */
export interface StreamEvent {
  readonly event: string
  readonly data: string
  /** The id that holds from here on; a stream may leave it out of later events. */
  readonly lastEventId: string
}

/**
 * Reads server-sent events out of text that arrives in pieces, as the HTML standard describes it. A byte order mark and
 * `retry` are not known here: this bus sends neither.
 */
export class EventStreamReader {
  #rest = ''
  #event = ''
  #data: string[] = []
  #lastEventId: string

  constructor(lastEventId = '') {
    this.#lastEventId = lastEventId
  }

  /** Where to go on after what was read. */
  get lastEventId(): string {
    return this.#lastEventId
  }

  /** The events that are complete with this piece. */
  read(piece: string): StreamEvent[] {
    const events: StreamEvent[] = []
    const text = this.#rest + piece
    // A carriage return at the end may be half of a line end.
    const whole = text.endsWith('\r') ? text.slice(0, -1) : text
    const lines = whole.split(/\r\n|\n|\r/)
    this.#rest = lines.pop()! + text.slice(whole.length)
    for (const line of lines) {
      if (line !== '') this.#field(line)
      else if (this.#data.length > 0) events.push(this.#dispatch())
      else this.#event = ''
    }
    return events
  }

  #field(line: string): void {
    const colon = line.indexOf(':')
    const name = colon < 0 ? line : line.slice(0, colon)
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '')
    if (name === 'event') this.#event = value
    else if (name === 'data') this.#data.push(value)
    else if (name === 'id' && !value.includes('\0')) this.#lastEventId = value
  }

  #dispatch(): StreamEvent {
    const event = { event: this.#event || 'message', data: this.#data.join('\n'), lastEventId: this.#lastEventId }
    this.#event = ''
    this.#data = []
    return event
  }
}
