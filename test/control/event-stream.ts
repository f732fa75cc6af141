import { request, type IncomingMessage } from 'node:http'
import type { EventFrame } from '../../src/shared/control/event-frame.ts'

/** The events of a bus over HTTP, as a browser's EventSource gets them. */
export class EventStream implements Disposable {
  readonly status: number
  readonly frames: EventFrame[] = []
  /** Resolves when the bus ends the stream. */
  readonly ended: Promise<void>
  readonly #response: IncomingMessage

  private constructor(response: IncomingMessage) {
    this.status = response.statusCode!
    this.#response = response
    let text = ''
    response.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk
      const messages = text.split('\n\n')
      text = messages.pop()!
      for (const message of messages) {
        const data = message.split('\n').find((line) => line.startsWith('data: '))
        if (data !== undefined) this.frames.push(JSON.parse(data.slice(6)) as EventFrame)
      }
    })
    this.ended = new Promise((resolve) => {
      response.on('close', resolve)
    })
  }

  static open(url: string, headers: Readonly<Record<string, string>>): Promise<EventStream> {
    return new Promise((resolve, reject) => {
      const req = request(`${url}/admin/control/events`, { headers, agent: false }, (response) => resolve(new EventStream(response)))
      req.on('error', reject)
      req.end()
    })
  }

  /** The first frame, now or to come, that fits. */
  async frame(fits: (frame: EventFrame) => boolean): Promise<EventFrame> {
    for (;;) {
      const found = this.frames.find(fits)
      if (found !== undefined) return found
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  }

  [Symbol.dispose](): void {
    this.#response.destroy()
  }
}
