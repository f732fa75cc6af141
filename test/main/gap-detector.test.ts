import { beforeEach, describe, expect, test } from 'vitest'
import { BEAT, GapDetector, type Hands } from '../../src/main/gap-detector.ts'

/** A machine whose clocks a test turns. `counts`: its steady clock counts sleep, as outside Linux. */
class Machine implements Hands {
  #wall = 1_790_000_000
  #steady = 50
  #uptime = 1_000
  readonly #counts: boolean
  slowReads = 0

  constructor(counts: boolean) {
    this.#counts = counts
  }

  wall = () => this.#wall
  steady = () => this.#steady
  uptime = () => {
    this.slowReads++
    // As systems that tell whole seconds only.
    return this.#counts ? Math.floor(this.#uptime) : this.#uptime
  }

  run(seconds: number): void {
    this.#wall += seconds
    this.#steady += seconds
    this.#uptime += seconds
  }

  sleep(seconds: number): void {
    this.#wall += seconds
    this.#uptime += seconds
    if (this.#counts) this.#steady += seconds
  }

  set(seconds: number): void {
    this.#wall += seconds
  }
}

describe.each([
  ['stands while the machine sleeps', false],
  ['counts sleep', true]
])('where the steady clock %s', (_, counts) => {
  let machine: Machine
  let detector: GapDetector
  beforeEach(() => {
    machine = new Machine(counts)
    detector = new GapDetector(machine)
  })

  function runFor(seconds: number): number {
    let gaps = 0
    for (let gone = 0; gone < seconds; gone += BEAT) {
      machine.run(BEAT)
      gaps += detector.look().length
    }
    return gaps
  }

  test('a day of looks in time tells of nothing', () => {
    expect(runFor(86_400)).toBe(0)
  })

  test.each([10, 600, 30_000])('a sleep of %i s is told once, with its length', (seconds) => {
    runFor(60)
    machine.run(2)
    machine.sleep(seconds)
    machine.run(0.01)
    const [gap, ...others] = detector.look()
    expect(others).toEqual([])
    expect(gap).toMatchObject({ cause: 'sleep', at: machine.wall() })
    expect(gap!.seconds).toBeGreaterThanOrEqual(seconds - 1)
    // Where only a late look tells, the time since the last one counts, too.
    expect(gap!.seconds).toBeLessThanOrEqual(seconds + BEAT)
    expect(runFor(60)).toBe(0)
  })

  test('a short sleep that the system announces is told, too', () => {
    runFor(60)
    detector.look()
    detector.sleeps()
    machine.sleep(5)
    machine.run(0.1)
    const gaps = detector.look()
    expect(gaps.map(({ cause }) => cause)).toEqual(['sleep'])
    expect(gaps[0]!.seconds).toBeGreaterThanOrEqual(4)
    expect(gaps[0]!.seconds).toBeLessThan(6)
  })

  test('a look between the announcement and the sleep does not make it go unseen', () => {
    runFor(60)
    detector.sleeps()
    machine.run(0.2)
    expect(detector.look()).toEqual([])
    machine.sleep(7)
    machine.run(0.1)
    expect(detector.look()).toMatchObject([{ cause: 'sleep' }])
    detector.wakes()
    expect(runFor(60)).toBe(0)
  })

  test('a sleep that was announced and did not come is over when the system says so', () => {
    runFor(60)
    detector.sleeps()
    machine.run(1)
    expect(detector.look()).toEqual([])
    detector.wakes()
    machine.run(4)
    expect(detector.look()).toEqual([])
  })

  test('a process that was stopped has slept as well', () => {
    runFor(60)
    machine.run(100)
    expect(detector.look()).toEqual([{ cause: 'sleep', seconds: 100, at: machine.wall() }])
  })

  test('a machine that is busy for some seconds has not slept', () => {
    runFor(60)
    machine.run(BEAT + 2)
    expect(detector.look()).toEqual([])
  })

  test.each([3_600, -3_600, 5])('a clock that is set by %i s is no sleep', (seconds) => {
    runFor(60)
    machine.set(seconds)
    machine.run(1)
    const [gap, ...others] = detector.look()
    expect(others).toEqual([])
    expect(gap!.cause).toBe('clock')
    expect(gap!.seconds).toBeCloseTo(seconds, -0.5)
    expect(runFor(60)).toBe(0)
  })

  test('a clock that is set during a sleep, as by the first contact with a time server, is both', () => {
    runFor(60)
    machine.sleep(600)
    machine.set(-120)
    machine.run(1)
    const gaps = detector.look()
    expect(gaps.map(({ cause }) => cause)).toEqual(['sleep', 'clock'])
    const sum = gaps.reduce((all, { seconds }) => all + seconds, 0)
    expect(Math.abs(sum - 480)).toBeLessThan(BEAT + 2)
  })

  test('a clock that a time server slews is neither', () => {
    runFor(60)
    let gaps = 0
    for (let i = 0; i < 5_000; i++) {
      machine.run(BEAT)
      machine.set(0.0025)
      gaps += detector.look().length
    }
    expect(gaps).toBe(0)
  })

  test('many looks in a row do not read the slow clock', () => {
    const before = machine.slowReads
    for (let i = 0; i < 1_000; i++) {
      machine.run(0.001)
      detector.look()
    }
    expect(machine.slowReads).toBe(before)
  })
})
