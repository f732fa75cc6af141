/**
 * The bus's time, by which leases end and intents may run; this device's clock may be off. Ticks once a second, and
 * only while somebody can see it.
 */
export class Clock {
  /** Seconds to add to this device's time. */
  #offset = 0
  /** Unix seconds. */
  now = $state(Date.now() / 1000)
  #timer: ReturnType<typeof setInterval> | undefined

  constructor() {
    document.addEventListener('visibilitychange', () => this.#follow())
    this.#follow()
  }

  /** Takes over what the bus says its time is. */
  set(busNow: number): void {
    this.#offset = busNow - Date.now() / 1000
    this.#tick()
  }

  #follow(): void {
    clearInterval(this.#timer)
    if (document.hidden) return
    this.#tick()
    this.#timer = setInterval(() => this.#tick(), 1000)
  }

  #tick(): void {
    this.now = Date.now() / 1000 + this.#offset
  }
}
