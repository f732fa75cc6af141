import type { Locator, Page } from 'playwright'
import { expect } from 'playwright/test'
import { afterAll, beforeAll, describe, test } from 'vitest'
import type { Operating } from '../control/rig.ts'
import { Interface } from './interface.ts'

/** More than a few pages of the list. */
const MANY = 1_500

let app: Interface
let bus: Operating
let page: Page
let grid: Locator

beforeAll(async () => {
  app = await Interface.start()
  bus = app.operating
  page = await app.open('#/intents?filter=goal:live.*')
  grid = page.getByRole('grid', { name: 'Intents' })
})
afterAll(() => app[Symbol.asyncDispose]())

function row(text: string): Locator {
  return grid.getByRole('row').filter({ hasText: text })
}

async function show(filter: string): Promise<void> {
  const listed = page.waitForResponse(/control\/intents\.list/)
  await page.evaluate(`location.hash = ${JSON.stringify(`#/intents?filter=${encodeURIComponent(filter)}`)}`)
  await listed
  await expect(page.getByRole('combobox', { name: 'Filter' })).toHaveValue(filter)
}

async function publishMany(goal: string, count: number): Promise<void> {
  let left = count
  const publisher = async (): Promise<void> => {
    while (left-- > 0) await bus.call('intents.publish', { goal, payload: '{}' })
  }
  await Promise.all(Array.from({ length: 8 }, publisher))
}

describe('while a worker runs', () => {
  test('rows change in their places, and nothing moves', async () => {
    await bus.call('intents.publish', { goal: 'live.one', payload: '1' })
    await bus.call('intents.publish', { goal: 'live.two', payload: '2' })
    await expect(row('live.one')).toContainText('Open')
    await page.getByRole('button', { name: 'Refresh the list' }).click()
    await expect(grid.getByRole('row')).toHaveCount(3)
    const place = await row('live.one').boundingBox()

    const claim = (await bus.claim('live.one', 'pi4'))!
    await expect(row('live.one')).toContainText('Claimed')
    await expect(row('live.one')).toContainText('pi4')
    await expect(row('live.one')).toContainText('1 of 3')
    await expect(row('live.one')).toContainText(/lease \d+ s/)
    await bus.fail(claim, 'the printer is on fire')
    await expect(row('live.one')).toContainText('Open')
    await expect(row('live.one')).toContainText('the printer is on fire')
    await expect(row('live.one')).toContainText(/runs in \d+/)
    await bus.fulfill((await bus.claim('live.two', 'pi5'))!)
    await expect(row('live.two')).toContainText('Fulfilled')
    expect(await row('live.one').boundingBox()).toEqual(place)
  })

  test('new ones wait behind a pill', async () => {
    for (let i = 0; i < 12; i++) await bus.call('intents.publish', { goal: 'live.new', payload: String(i) })
    await bus.call('intents.publish', { goal: 'other', payload: '{}' })
    const pill = page.getByRole('button', { name: '12 new' })
    await expect(pill).toBeVisible()
    await expect(row('live.new')).toHaveCount(0)
    await pill.click()
    await expect(row('live.new')).toHaveCount(12)
    await expect(pill).toHaveCount(0)
  })

  test('what only the bus can tell is asked for', async () => {
    await show('payload.colour:red')
    await bus.call('intents.publish', { goal: 'live.red', payload: '{"colour":"red"}' })
    await expect(row('live.red')).toHaveCount(1)
    await bus.call('intents.publish', { goal: 'live.red', payload: '{"colour":"red"}' })
    await bus.call('intents.publish', { goal: 'live.blue', payload: '{"colour":"blue"}' })
    await expect(page.getByRole('button', { name: '1 new' })).toBeVisible()
  })

  test('a row that matches no more stays until the list is refreshed', async () => {
    await show('status:open goal:live.new')
    await expect(row('live.new')).toHaveCount(12)
    await bus.claim('live.new', 'pi4')
    await expect(row('matches no more')).toHaveCount(1)
    await expect(row('matches no more')).toContainText('Claimed')
    await expect(row('live.new')).toHaveCount(12)
    await page.getByRole('button', { name: 'Refresh the list' }).click()
    await expect(row('live.new')).toHaveCount(11)
  })

  test('what was missed is read again', async () => {
    await show('goal:live.gone')
    const { id } = await bus.call('intents.publish', { goal: 'live.gone', payload: '1', namespace: 'gone' })
    await bus.call('intents.publish', { goal: 'live.gone', payload: '2' })
    await expect(row('live.gone')).not.toHaveCount(0)
    await page.getByRole('button', { name: 'Refresh the list' }).click()
    await expect(row('live.gone')).toHaveCount(2)
    await bus.call('bus.purge', { namespace: 'gone', confirm: true })
    await expect(row('matches no more')).toHaveCount(1, { timeout: 15_000 })
    expect((await bus.refusal('intents.detail', { id })).code).toBe('not_found')
  })
})

describe('many', () => {
  beforeAll(async () => {
    await publishMany('live.many', MANY)
    await show('goal:live.many')
    await expect(page.getByText('1,500 intents')).toBeVisible()
  })

  test('only those on screen exist, and the end is one key away', async () => {
    expect(await grid.getByRole('row').count()).toBeLessThan(80)
    await expect(grid).toHaveAttribute('aria-rowcount', String(MANY + 1))
    await grid.focus()
    await page.keyboard.press('End')
    await expect(grid.locator(`[aria-rowindex="${MANY + 1}"]`)).toContainText('live.many')
    await page.keyboard.press('Home')
    await expect(grid.locator('[aria-rowindex="2"]')).toContainText('live.many')
  })

  test('what is read late and has gone meanwhile leaves no gap, and what is on screen stays there', async () => {
    await show('status:open goal:live.many')
    await expect(page.getByText('1,500 intents')).toBeVisible()
    for (let i = 0; i < 30; i++) await bus.fulfill((await bus.claim('live.many', 'pi4'))!)
    await grid.focus()
    await page.keyboard.press('End')
    await expect(page.getByText('1,470 intents')).toBeVisible()
    await expect(grid.locator(`[aria-rowindex="${MANY - 30 + 1}"]`)).toContainText('Open')
  })
})

test('no page logged an error or broke its policy', () => {
  expect(app.trouble(/status of 401 .*control\/status\.get/)).toEqual([])
})
