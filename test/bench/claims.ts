import { join } from 'node:path'
import { Bus } from '../../src/main/bus/bus.ts'
import type { Caller } from '../../src/main/bus/caller.ts'
import { systemClock } from '../../src/main/bus/clock.ts'
import { systemRandom } from '../../src/main/bus/random.ts'
import type { ClaimRequest } from '../../src/shared/requests.ts'
import { NO_LIMITS } from '../../src/shared/scope.ts'
import { temporaryFolder } from '../support/folders.ts'
import { fillDatabase, GOAL, PUBLISHER, type Filling } from './fill.ts'
import { median } from './measure.ts'
import { count, number, type Findings } from './report.ts'
import type { Settings } from './settings.ts'

type Front = Omit<Filling, 'count'>

const inFront = (): number => 900
const soon = (i: number): number => Date.now() / 1000 + 3600 + (i % 1000)

/** What stands before the intents that the worker may take, all of it where a claim would look first. */
const FRONTS: Readonly<Record<string, Front>> = {
  'all claimable': { status: 'open', priority: inFront },
  'for other goals': { status: 'open', priority: inFront, routing: { goal: 'another' } },
  'of other publishers': { status: 'open', priority: inFront, routing: { publisher: 'key_of_a_stranger' } },
  'need a capability': { status: 'open', priority: inFront, routing: { requiredCapability: 'gpu' } },
  'for another worker': { status: 'open', priority: inFront, routing: { targetWorker: 'worker-2' } },
  'all delayed': { status: 'open', priority: (i) => 101 + (i % 900), runAt: soon },
  'all leased': { status: 'claimed', priority: inFront },
  'all finished': { status: 'fulfilled', priority: inFront }
}

const CALLER: Caller = {
  key: { id: PUBLISHER, owner: 'bench', isMain: false, limits: NO_LIMITS },
  address: '127.0.0.1',
  nonce: null
}

const REQUEST: ClaimRequest = {
  goals: [GOAL],
  namespace: 'default',
  publisher: null,
  workerId: 'worker-1',
  capabilities: ['cpu', 'disk']
}

/** Longer than a run of this section, so that no lease ends within a measurement. */
const CLAIM_TIMEOUT_SECONDS = 3_600

/** Microseconds a claim takes behind a few and behind a million intents, in each of the hard cases. */
export async function claims(settings: Settings, note: (text: string) => void): Promise<Findings> {
  const { sizes } = settings.claims
  const figures: { front: string; microseconds: number[] }[] = []
  for (const [name, front] of Object.entries(FRONTS)) {
    note(name)
    figures.push({ front: name, microseconds: await measureFront(front, settings) })
  }
  return {
    tables: [
      {
        title: 'Microseconds a claim, commits included, behind so many intents (medians of batches)',
        columns: ['intents in front', ...sizes.map(count)],
        rows: figures.map(({ front, microseconds }) => [front, ...microseconds.map(number)])
      }
    ],
    ratios: figures.map(({ front, microseconds }) => ({
      name: `${front}: ${count(sizes.at(-1)!)} / ${count(sizes[0]!)}`,
      value: microseconds.at(-1)! / microseconds[0]!,
      aim: { atMost: 1.2 }
    })),
    figures: { sizes, figures }
  }
}

/** The sizes take turns, batch by batch, so that a noisy moment hits all of them. */
async function measureFront(front: Front, { claims: settings }: Settings): Promise<number[]> {
  const { sizes, batches, batchSize, warmUpBatches, behind } = settings
  using folder = temporaryFolder()
  await using stack = new AsyncDisposableStack()
  const buses: Bus[] = []
  for (const size of sizes) {
    const path = join(folder.path, `${size}.db`)
    fillDatabase(path, [
      { ...front, count: size },
      { status: 'open', count: behind }
    ])
    const bus = openBus(path)
    stack.defer(() => bus.close())
    buses.push(bus)
  }
  for (let i = 0; i < warmUpBatches; i++) for (const bus of buses) await claimBatch(bus, batchSize)
  const times: number[][] = sizes.map(() => [])
  for (let i = 0; i < batches; i++) {
    for (const [at, bus] of buses.entries()) times[at]!.push(await claimBatch(bus, batchSize))
  }
  return times.map(median)
}

function openBus(path: string): Bus {
  return new Bus({
    path,
    clock: systemClock,
    random: systemRandom(),
    readerEntry: new URL('../../src/main/reader.ts', import.meta.url),
    claimTimeout: CLAIM_TIMEOUT_SECONDS,
    cleanupInterval: 86_400
  })
}

/** Microseconds a claim, of `size` concurrent ones. */
async function claimBatch(bus: Bus, size: number): Promise<number> {
  const started = performance.now()
  const claimed = await Promise.all(Array.from({ length: size }, () => bus.claim(CALLER, REQUEST)))
  const took = performance.now() - started
  if (claimed.includes(null)) throw new Error('A claim found nothing although there was something to claim.')
  return (took * 1000) / size
}
