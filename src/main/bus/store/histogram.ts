/**
 * A histogram of durations: four buckets to each doubling, from a millisecond up, so that a quantile is off by 9 % at
 * most. Written as a JSON object from bucket to count.
 */
export class Histogram {
  readonly #counts = new Map<number, number>()

  /** Reads what `toText` wrote; the empty text is an empty histogram. */
  static parse(text: string): Histogram {
    const histogram = new Histogram()
    if (text !== '') histogram.add(text)
    return histogram
  }

  /** Counts one duration in seconds. */
  note(seconds: number): void {
    const bucket = Math.min(MAX_BUCKET, Math.max(0, Math.round(Math.log2(Math.max(seconds, SMALLEST) / SMALLEST) * PER_DOUBLING)))
    this.#counts.set(bucket, (this.#counts.get(bucket) ?? 0) + 1)
  }

  /** Adds a histogram as `toText` wrote it. */
  add(text: string): void {
    if (text === '') return
    for (const [bucket, count] of Object.entries(JSON.parse(text) as Record<string, number>)) {
      this.#counts.set(Number(bucket), (this.#counts.get(Number(bucket)) ?? 0) + count)
    }
  }

  get count(): number {
    let sum = 0
    for (const count of this.#counts.values()) sum += count
    return sum
  }

  /** The duration in seconds below which a `share` (0 to 1) of all lie; null when there is none. */
  quantile(share: number): number | null {
    const total = this.count
    if (total === 0) return null
    const wanted = Math.max(1, Math.ceil(share * total))
    let seen = 0
    for (const [bucket, count] of [...this.#counts].sort(([a], [b]) => a - b)) {
      seen += count
      if (seen >= wanted) return SMALLEST * 2 ** (bucket / PER_DOUBLING)
    }
    return null
  }

  toText(): string {
    return this.#counts.size === 0 ? '' : JSON.stringify(Object.fromEntries(this.#counts))
  }
}

/** Seconds. */
const SMALLEST = 0.001
const PER_DOUBLING = 4
/** Some twelve days. */
const MAX_BUCKET = 120
