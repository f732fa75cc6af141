import type { Locator, Page } from 'playwright'
import { expect } from 'playwright/test'
import { afterAll, beforeAll, beforeEach, describe, test } from 'vitest'
import type { Operating } from '../control/rig.ts'
import { Interface } from './interface.ts'

let app: Interface
let bus: Operating
let page: Page
let grid: Locator
let bar: Locator

beforeAll(async () => {
  app = await Interface.start()
  bus = app.operating
  page = await app.open('#/overview')
  grid = page.getByRole('grid', { name: 'Intents' })
  bar = page.getByRole('group', { name: 'Selected intents' })
})
afterAll(() => app[Symbol.asyncDispose]())

let round = 0
let goal = ''

/** A fresh goal with six open intents, alone on screen. */
beforeEach(async () => {
  goal = `bulk.${++round}`
  for (let i = 0; i < 6; i++) await bus.call('intents.publish', { goal, payload: String(i), maxAttempts: 1 })
  await page.evaluate(`location.hash = '#/intents?filter=goal:${goal}'`)
  await expect(row(6)).toContainText(goal)
})

/** The row of the intent that was published as the n-th newest, from 1. */
function row(n: number): Locator {
  return grid.locator(`[aria-rowindex="${n + 1}"]`)
}

async function confirm(question: string | RegExp, action: string): Promise<void> {
  await expect(page.getByRole('dialog')).toContainText(question)
  await page.getByRole('dialog').getByRole('button', { name: action }).click()
}

async function count(filter: string): Promise<number> {
  return (await bus.call('intents.count', { filter: `goal:${goal} ${filter}` })).count
}

describe('some', () => {
  test('with the keyboard: selected, cancelled after a question, tried again', async () => {
    await grid.focus()
    await page.keyboard.press('j')
    await page.keyboard.press('x')
    await page.keyboard.press('ArrowDown')
    await page.keyboard.press('Space')
    await expect(bar).toContainText('2 selected')
    await page.keyboard.press('c')
    await expect(page.getByRole('dialog')).toContainText('Cancels 2 open intents.')
    await page.keyboard.press('Escape')
    expect(await count('status:dead')).toBe(0)
    await expect(bar).toContainText('2 selected')
    await page.keyboard.press('c')
    await confirm('Cancels 2 open intents.', 'Cancel 2 intents')
    await expect(page.getByText('Cancelled 2 intents.')).toBeVisible()
    await expect(bar).toHaveCount(0)
    await expect(row(1)).toContainText('Dead')
    await grid.focus()
    await page.keyboard.press('k')
    await page.keyboard.press('r')
    await expect(page.getByText('Retried 1 intent.')).toBeVisible()
    await expect(row(1)).toContainText('Open')
    expect(await count('status:dead')).toBe(1)
  })

  test('with the pointer: one, one more, and a range', async () => {
    await row(1).getByRole('checkbox').click()
    await row(3).click({ modifiers: ['ControlOrMeta'] })
    await expect(bar).toContainText('2 selected')
    await row(5).click({ modifiers: ['Shift'] })
    await expect(bar).toContainText('4 selected')
    await row(4).getByRole('checkbox').click()
    await expect(bar).toContainText('3 selected')
    await expect(row(3)).toHaveAttribute('aria-selected', 'true')
    await expect(row(4)).toHaveAttribute('aria-selected', 'false')
    await bar.getByRole('button', { name: 'Cancel' }).click()
    await confirm('Cancels 3 open intents.', 'Cancel 3 intents')
    await expect(page.getByText('Cancelled 3 intents.')).toBeVisible()
    expect(await count('status:dead')).toBe(3)
  })

  test('what cannot be done is said', async () => {
    await grid.focus()
    await page.keyboard.press('j')
    await page.keyboard.press('x')
    await page.keyboard.press('r')
    await expect(page.getByText('Nothing to retry')).toBeVisible()
  })

  test('what happens meanwhile counts', async () => {
    await row(6).getByRole('checkbox').click()
    await row(5).getByRole('checkbox').click()
    await bus.fulfill((await bus.claim(goal, 'pi4'))!)
    await expect(row(6)).toContainText('Fulfilled')
    await bar.getByRole('button', { name: 'Cancel' }).click()
    await confirm('Cancels 1 open intent.', 'Cancel 1 intent')
    await expect(page.getByText('Cancelled 1 intent.')).toBeVisible()
    expect([await count('status:fulfilled'), await count('status:dead')]).toEqual([1, 1])
  })
})

describe('all that match', () => {
  test('with a key: counted first, and nothing that comes later', async () => {
    await bus.fulfill((await bus.claim(goal, 'pi4'))!)
    await grid.focus()
    await page.keyboard.press('a')
    await expect(bar).toContainText('All 6 selected')
    await expect(row(6)).toHaveAttribute('aria-selected', 'true')
    await page.keyboard.press('c')
    await expect(page.getByRole('dialog')).toContainText('Cancels 5 open intents.')
    await bus.call('intents.publish', { goal, payload: '"late"' })
    await confirm('Cancels 5 open intents.', 'Cancel 5 intents')
    await expect(page.getByText('Cancelled 5 intents.')).toBeVisible()
    expect([await count('status:open'), await count('status:dead')]).toEqual([1, 5])
  })

  test('with the pointer: the box above all', async () => {
    await page.getByRole('checkbox', { name: 'Select all that match' }).click()
    await bar.getByRole('button', { name: 'Cancel' }).click()
    await confirm('Cancels 6 open intents.', 'Cancel 6 intents')
    await expect(page.getByText('Cancelled 6 intents.')).toBeVisible()
  })

  test('many: how far it is can be watched', async () => {
    let left = 2_000
    const publisher = async (): Promise<void> => {
      while (left-- > 0) await bus.call('intents.publish', { goal, payload: '{}' })
    }
    await Promise.all(Array.from({ length: 8 }, publisher))
    const progress: string[] = []
    await page.exposeFunction('noteProgress', (text: string) => progress.push(text))
    await page.evaluate(`new MutationObserver(() => {
      const text = document.querySelector('progress + span')?.textContent
      if (text) noteProgress(text)
    }).observe(document.body, { subtree: true, childList: true, characterData: true })`)
    await grid.focus()
    await page.keyboard.press('a')
    await expect(bar).toContainText('All 2,006 selected')
    await page.keyboard.press('c')
    await confirm('Cancels 2,006 open intents.', 'Cancel 2,006 intents')
    await expect(page.getByText('Cancelled 2,006 intents.')).toBeVisible({ timeout: 15_000 })
    expect(progress.filter((text) => /^Cancelling [\d,]+ of 2,006$/.test(text)).length).toBeGreaterThan(1)
    expect(await count('status:dead')).toBe(2_006)
  })
})

describe('dead letters by their reason', () => {
  test('a reason leads to its intents, and all of them are tried again', async () => {
    for (const error of ['no answer in 17 ms', 'no answer in 230 ms', 'disk full']) await bus.fail((await bus.claim(goal, 'pi4'))!, error)
    await page.evaluate(`location.hash = '#/intents?filter=status:dead'`)
    await page.getByRole('radio', { name: 'By reason' }).check({ force: true })
    const group = page.getByRole('listitem').filter({ hasText: 'no answer in * ms' })
    await expect(group).toContainText('2')
    await expect(group).toContainText(goal)
    await group.getByRole('link', { name: 'no answer in * ms' }).click()
    await expect(page.getByRole('combobox', { name: 'Filter' })).toHaveValue('status:dead error:"no answer in * ms"')
    await expect(grid.getByRole('row')).toHaveCount(3)
    await page.goBack()
    await group.getByRole('button', { name: 'Retry all 2' }).click()
    await confirm('Retries 2 dead intents.', 'Retry 2 intents')
    await expect(page.getByText('Retried 2 intents.')).toBeVisible()
    await expect(group).toHaveCount(0)
    expect(await count('status:open')).toBe(5)
  })
})

test('no page logged an error or broke its policy', () => {
  expect(app.trouble(/status of 401 .*control\/status\.get/)).toEqual([])
})
