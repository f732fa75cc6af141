import { expect } from 'playwright/test'
import { afterAll, describe, test } from 'vitest'
import { Interface } from './interface.ts'

/** What is around the screens: that each of them can be had. */

const app = await Interface.start()
afterAll(() => app[Symbol.asyncDispose]())

const KEYS = /\/assets\/Keys-[^/]*\.js$/

describe('a screen that could not be fetched', () => {
  test('is there after another try, at the same place', async () => {
    const page = await app.open('#/overview')
    await page.route(KEYS, (route) => route.abort())
    await page.goto(`${app.bus.url}/admin/#/keys`)
    await expect(page.getByText('This screen could not be loaded.')).toBeVisible()
    await page.unroute(KEYS)
    await page.getByRole('button', { name: 'Try again' }).click()
    await expect(page.getByRole('heading', { name: 'Keys', level: 1 })).toBeVisible()
    await page.context().close()
  })

  test('is not tried by a page that would be lost: while the bus is away', async () => {
    const page = await app.open('#/overview')
    await page.route(/\/assets\/Keys-|\/admin\/control\//, (route) => route.abort())
    await page.goto(`${app.bus.url}/admin/#/keys`)
    await page.getByRole('button', { name: 'Try again' }).click()
    await expect(page.getByText('The bus does not answer.').first()).toBeVisible()
    await expect(page.getByRole('navigation').first()).toBeVisible()
    await page.context().close()
  })
})

test('on a phone the screens are fetched before anybody goes there', async () => {
  const page = await app.visit('#/overview', { width: 390, height: 844 })
  const fetched = page.waitForRequest(KEYS)
  await page.getByLabel('Password').fill(app.bus.password)
  await page.getByRole('button', { name: 'Log in' }).click()
  await fetched
  await expect(page.getByRole('heading', { name: 'Overview', level: 1 })).toBeVisible()
  await page.context().close()
})

test('settings lead to what happened, also with a thumb', async () => {
  const page = await app.open('#/settings', { width: 390, height: 844 })
  const link = page.getByRole('link', { name: 'Activity' })
  expect((await link.boundingBox())!.height).toBeGreaterThanOrEqual(44)
  await link.click()
  await expect(page.getByRole('heading', { name: 'Activity', level: 1 })).toBeVisible()
  await page.context().close()
})

// Provoked: what was not let through.
test('no error, and nothing that the policy forbids', () => {
  expect(app.trouble(/ERR_FAILED|ERR_ABORTED/)).toEqual([])
})
