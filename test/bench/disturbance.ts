import type { LoadResult } from './load.ts'
import { median, runLoad } from './measure.ts'
import { number, type Ratio, type Table } from './report.ts'
import type { Server } from './servers.ts'

const CONNECTIONS = 8
const STEADY_RATE = 300

interface Pace {
  readonly name: string
  /** Lifecycles a second; absent: as many as will go. */
  readonly rate?: number
}

const PACES: readonly Pace[] = [
  { name: `steady, ${STEADY_RATE} lifecycles a second`, rate: STEADY_RATE },
  { name: 'as fast as it goes' }
]

/** Requests with and without something that may disturb them, in windows that take turns on the same bus. */
export class Disturbance {
  readonly #what: string
  readonly #server: Server
  readonly #seconds: number
  readonly quiet: LoadResult[][] = PACES.map(() => [])
  readonly disturbed: LoadResult[][] = PACES.map(() => [])

  /** `what` disturbs; `seconds`: the length of a window. */
  constructor(what: string, server: Server, seconds: number) {
    this.#what = what
    this.#server = server
    this.#seconds = seconds
  }

  /** One window at each pace. */
  async measure(into: LoadResult[][]): Promise<void> {
    const { url, key } = this.#server
    for (const [i, { rate }] of PACES.entries()) {
      const pace = rate === undefined ? {} : { rate }
      const options = { url, key, connections: CONNECTIONS, seconds: this.#seconds, signed: false, ...pace }
      into[i]!.push(await runLoad(options))
    }
  }

  table(): Table {
    const row = (name: string, results: readonly LoadResult[]): string[] => [
      name,
      number(median(results.map(({ perSecond }) => perSecond))),
      number(median(results.map(({ all }) => all.p50))),
      number(median(results.map(({ all }) => all.p99)))
    ]
    return {
      title: `Requests on ${CONNECTIONS} connections, milliseconds (medians of windows)`,
      columns: ['', 'lifecycles a second', 'p50', 'p99'],
      rows: PACES.flatMap(({ name }, i) => [
        row(name, this.quiet[i]!),
        row(`${name}, ${this.#what}`, this.disturbed[i]!)
      ])
    }
  }

  /** Each window is compared with the quiet one just before it. */
  ratios(): Ratio[] {
    return PACES.map(({ name }, i) => ({
      name: `p99 ${this.#what} / without, ${name}`,
      value: median(this.disturbed[i]!.map(({ all }, round) => all.p99 / this.quiet[i]![round]!.all.p99)),
      aim: { atMost: 1.3 }
    }))
  }
}
