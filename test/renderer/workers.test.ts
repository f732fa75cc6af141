import { describe, expect, it } from 'vitest'
import { parseFilter } from '../../src/shared/control/filter.ts'
import type { WorkerView } from '../../src/shared/control/worker-views.ts'
import { askText, intentsOf, isFound, sortWorkers, waitingFor, workerName } from '../../src/renderer/screens/workers/workers.ts'

function worker(fields: Partial<WorkerView>): WorkerView {
  return {
    ref: 'main/w/pi4',
    worker: 'pi4',
    key: 'main',
    keyOwner: 'main',
    address: '10.0.0.4',
    capabilities: [],
    presence: 'online',
    firstSeenAt: 0,
    lastSeenAt: 0,
    asks: [],
    holds: [],
    claimed: 0,
    fulfilled: 0,
    failed: 0,
    lost: 0,
    ...fields
  }
}

describe('order', () => {
  it('is by name as people count, with those that are gone at the end, and late ones where they were', () => {
    const names = ['pi10', 'pi9', 'gone1', 'Anna', 'pi1'].map((name) =>
      worker({ worker: name, ref: name, presence: name === 'gone1' ? 'gone' : name === 'pi9' ? 'late' : 'online' })
    )
    expect(sortWorkers(names).map(workerName)).toEqual(['Anna', 'pi1', 'pi9', 'pi10', 'gone1'])
  })
})

describe('names', () => {
  it('say where a worker without id comes from', () => {
    expect(workerName(worker({ worker: null }))).toBe('Without id, from 10.0.0.4')
  })

  it.each([
    [{ goal: 'resize', namespace: 'default', publisher: null }, 'resize'],
    [{ goal: null, namespace: 'default', publisher: null }, 'any goal'],
    [{ goal: 'resize', namespace: 'prod', publisher: 'key_1' }, 'resize in prod, of key_1']
  ])('%j asks for %s', (ask, text) => {
    expect(askText(ask)).toBe(text)
  })
})

describe('finding', () => {
  const pi = worker({
    keyOwner: 'Cellar',
    capabilities: ['gpu'],
    presence: 'late',
    asks: [{ namespace: 'prod', goal: 'resize', publisher: null, lastAt: 0 }]
  })

  it.each(['', ' ', 'PI4', '10.0.0', 'cellar', 'gpu', 'late', 'resi prod', 'prod gpu pi'])('"%s" finds it', (words) => {
    expect(isFound(pi, words)).toBe(true)
  })

  it.each(['pi5', 'gpu pi5', 'online', 'pi4gpu'])('"%s" does not', (words) => {
    expect(isFound(pi, words)).toBe(false)
  })
})

describe('filters', () => {
  it('take names as they are, wildcards and quotes included', () => {
    const filter = intentsOf(worker({ worker: 'pi* "4"' }))!
    expect(parseFilter(filter)).toMatchObject({ problems: [], terms: [{ test: { field: 'worker', pattern: 'pi\\* "4"' } }] })
    expect(intentsOf(worker({ worker: null }))).toBeNull()
  })

  it('lead to what waits for a goal', () => {
    const { terms, problems } = parseFilter(waitingFor({ goal: 'send it?', namespace: 'prod', open: 1, oldestAt: 0, lastClaimedAt: null }))
    expect(problems).toEqual([])
    expect(terms.map(({ test }) => test)).toEqual([
      { field: 'status', statuses: ['open'] },
      { field: 'goal', pattern: 'send it\\?' },
      { field: 'ns', pattern: 'prod' }
    ])
  })
})
