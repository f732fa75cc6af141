import { describe, expect, test } from 'vitest'
import { parseFilter, suggest } from '../../src/shared/control/filter.ts'
import type { IntentChange, IntentRow } from '../../src/shared/control/intent-views.ts'
import { ELIGIBLE, isHarmless, questionOf, reportOf } from '../../src/renderer/screens/intents/bulk-words.ts'
import { columnsFor } from '../../src/renderer/screens/intents/columns.ts'
import { complete } from '../../src/renderer/screens/intents/completion.ts'
import { markedText } from '../../src/renderer/screens/intents/marked-text.ts'
import { applyChange, mergeRows } from '../../src/renderer/screens/intents/rows/merge.ts'
import { isQuicklyCounted, shownStatuses } from '../../src/renderer/screens/intents/statuses.ts'
import { whenOf } from '../../src/renderer/screens/intents/when.ts'
import { rowOf } from './intent-row.ts'

describe('a row after a change', () => {
  const change = (more: Partial<IntentChange>) =>
    ({ id: rowOf({}).id, at: 2_000, namespace: 'default', goal: 'resize', ...more }) as IntentChange

  test('a life', () => {
    const claimed = applyChange(rowOf({}), change({ event: 'claimed', status: 'claimed', attempts: 1, worker: 'pi4', key: 'main', leaseEndsAt: 2_060 }))
    expect(claimed).toMatchObject({ status: 'claimed', attempts: 1, worker: 'pi4', claimedBy: 'main', leaseEndsAt: 2_060, finishedAt: null })

    const failed = applyChange(claimed, change({ event: 'failed', status: 'open', runAt: 2_005, worker: 'pi4', error: 'disk full' }))
    expect(failed).toMatchObject({ status: 'open', attempts: 1, worker: null, claimedBy: null, leaseEndsAt: null, runAt: 2_005, error: 'disk full' })

    const dead = applyChange(claimed, change({ event: 'failed', status: 'dead', worker: 'pi4', error: 'disk full' }))
    expect(dead).toMatchObject({ status: 'dead', worker: 'pi4', leaseEndsAt: null, finishedAt: 2_000, error: 'disk full' })

    const retried = applyChange(dead, change({ event: 'retried', status: 'open', attempts: 0, runAt: 2_000, worker: null, error: null }))
    expect(retried).toMatchObject({ status: 'open', attempts: 0, worker: null, finishedAt: null, error: null })
  })

  test('what a change does not tell stays', () => {
    const row = rowOf({ status: 'claimed', attempts: 2, worker: 'pi4', error: 'before' })
    expect(applyChange(row, change({ event: 'extended', status: 'claimed', leaseEndsAt: 2_090 }))).toEqual({ ...row, leaseEndsAt: 2_090 })
  })
})

describe('rows that are read again', () => {
  const rows = ['f', 'd', 'b', '9'].map((digit) => rowOf({ id: digit.repeat(32) }))
  const answer = (digits: string, next: string | null) => ({
    rows: [...digits].map((digit) => rowOf({ id: digit.repeat(32), attempts: 1 })),
    next
  })
  const told = ({ id, attempts }: IntentRow) => `${id[0]}${attempts}`

  test('those that are missing have gone; what is new is left out', () => {
    const { rows: merged, gone } = mergeRows(rows, answer('fedb9', null))
    expect([merged.map(told), gone]).toEqual([['f1', 'd1', 'b1', '91'], []])
    expect(mergeRows(rows, answer('fb9', null)).gone).toEqual(['d'.repeat(32)])
    expect(mergeRows(rows, answer('', null)).gone.length).toBe(4)
  })

  test('of those behind the answer nothing is said', () => {
    expect(mergeRows(rows, answer('fe', 'behind e')).gone).toEqual([])
    expect(mergeRows(rows, answer('fc', 'behind c')).gone).toEqual(['d'.repeat(32)])
  })
})

describe('the moment that matters', () => {
  test.each<[string, Partial<IntentRow>, string | undefined]>([
    ['open and due', { runAt: 1_000 }, 'waits 30 s'],
    ['delayed', { runAt: 1_330 }, 'runs in 5 min'],
    ['claimed', { status: 'claimed', leaseEndsAt: 1_075.5 }, 'lease 45 s'],
    ['claimed too long', { status: 'claimed', leaseEndsAt: 1_029 }, 'lease over'],
    ['fulfilled', { status: 'fulfilled', finishedAt: 1_020 }, '10 s ago'],
    ['dead', { status: 'dead', finishedAt: 1_030 }, 'now'],
    ['without a moment', { status: 'expired' }, undefined]
  ])('%s', (_, row, text) => {
    expect(whenOf(rowOf(row), 1_030)?.text).toBe(text)
  })
})

describe('columns', () => {
  test.each([
    [390, null],
    [530, 'select status goal age when'],
    [640, 'select status goal age when error'],
    [800, 'select status goal age attempts worker when error'],
    [1_103, 'select status goal namespace age attempts worker when error'],
    [1_800, 'select status goal namespace id age attempts worker when error']
  ])('%i pixels', (width, names) => {
    expect(columnsFor(width)?.map(({ name }) => name).join(' ') ?? null).toBe(names)
  })
})

describe('what bulk actions say', () => {
  const counts = (dead: number, fulfilled: number) => [
    { status: 'dead' as const, count: dead },
    { status: 'expired' as const, count: 0 },
    { status: 'fulfilled' as const, count: fulfilled }
  ]

  test('how many of which', () => {
    expect(questionOf('retry', { total: 12, counts: counts(12, 0) })).toMatchObject({
      title: 'Retry 12 intents?',
      text: expect.stringMatching(/^Retries 12 dead intents\. /),
      action: 'Retry 12 intents',
      isDangerous: false
    })
    expect(questionOf('retry', { total: 1_212, counts: counts(12, 1_200) }).text).toMatch(
      /^Retries 1,212 intents: 12 dead, 1,200 fulfilled\. .*Their results are cleared\.$/
    )
    expect(questionOf('cancel', { total: 1, counts: [{ status: 'open', count: 1 }] })).toMatchObject({
      text: expect.stringMatching(/^Cancels 1 open intent\. /),
      isDangerous: true
    })
    expect(questionOf('retry', { total: 2, counts: [{ status: 'dead', count: 0 }, { status: 'expired', count: 2 }] })).toMatchObject({
      title: 'Publish 2 intents again?',
      text: expect.stringMatching(/^Publishes 2 expired intents again\. /),
      action: 'Publish 2 intents again'
    })
  })

  test('only one that has no result is tried again without a question', () => {
    expect(isHarmless('retry', { total: 1, counts: counts(1, 0) })).toBe(true)
    expect(isHarmless('retry', { total: 1, counts: counts(0, 1) })).toBe(false)
    expect(isHarmless('retry', { total: 2, counts: counts(2, 0) })).toBe(false)
    expect(isHarmless('cancel', { total: 1, counts: [{ status: 'open', count: 1 }] })).toBe(false)
  })

  test('how many were changed', () => {
    expect(reportOf('retry', { matched: 12, changed: 12 })).toBe('Retried 12 intents.')
    expect(reportOf('cancel', { matched: 12, changed: 11 })).toBe('Cancelled 11 intents; 1 other had changed in the meantime.')
  })

  test('no status can be cancelled and retried', () => {
    expect(ELIGIBLE.cancel.filter((status) => ELIGIBLE.retry.includes(status))).toEqual([])
  })
})

describe('the filter', () => {
  const names = {
    namespaces: [],
    goals: [{ namespace: 'default', goal: 'send mail', counts: { open: 0, claimed: 0, fulfilled: 0, dead: 0, expired: 0 }, lastPublishedAt: 1, lastClaimedAt: null }],
    capabilities: [],
    workers: ['pi4']
  }

  test.each([
    ['sta|', 'status:|', false],
    ['status:de|', 'status:dead |', true],
    ['goal:se| ns:prod', 'goal:"send mail" |ns:prod', true],
    ['pay|', 'payload.|', false],
    ['-worker:p|', '-worker:pi4 |', true]
  ])('%s is completed to %s', (before, after, isFinished) => {
    const caret = before.indexOf('|')
    const text = before.replace('|', '')
    const completed = complete(text, suggest(text, caret, names)[0]!)
    expect(`${completed.text.slice(0, completed.caret)}|${completed.text.slice(completed.caret)}`).toBe(after)
    expect(completed.isFinished).toBe(isFinished)
  })

  test('mistakes are marked in their places', () => {
    const text = 'goal:x colour:red status:undead word'
    const stretches = markedText(text, parseFilter(text).problems)
    expect(stretches.map(({ text }) => text).join('')).toBe(text)
    expect(stretches.filter(({ isMarked }) => isMarked).map(({ text }) => text)).toEqual(['colour:red', 'status:undead'])
  })

  test.each([
    ['status:open,dead goal:x', ['open', 'dead']],
    ['-status:dead', []],
    ['words', []]
  ])('the statuses of %s', (text, statuses) => {
    expect(shownStatuses(parseFilter(text))).toEqual(statuses)
  })

  test.each([
    ['ns:prod goal:a*', true],
    ['-key:main', true],
    ['ns:prod word', false],
    ['ns:', false]
  ])('whether %s is quickly counted: %s', (text, isQuick) => {
    expect(isQuicklyCounted(parseFilter(text))).toBe(isQuick)
  })
})
