import type { Locator, Page } from 'playwright'
import { expect } from 'playwright/test'
import { afterAll, beforeAll, describe, test } from 'vitest'
import type { Operating } from '../control/rig.ts'
import { Interface, overflow, seriousFindings, VIEWS } from './interface.ts'

let app: Interface
let bus: Operating
let page: Page
let grid: Locator
let field: Locator

beforeAll(async () => {
  app = await Interface.start()
  bus = app.operating
})
afterAll(() => app[Symbol.asyncDispose]())

/** The rows on screen, without that of the headings. */
function rows(of: Page = page): Locator {
  return of.getByRole('grid', { name: 'Intents' }).getByRole('row').filter({ has: of.getByRole('gridcell') })
}

function chip(name: string): Locator {
  return page.getByRole('group', { name: 'Statuses' }).getByRole('button', { name })
}

function detail(of: Page = page): Locator {
  return of.getByRole('article', { name: 'Intent' })
}

/** What the address says the filter is. */
function filter(): string {
  return new URLSearchParams(new URL(page.url()).hash.split('?')[1]).get('filter') ?? ''
}

async function die(goal: string, error: string, namespace = 'default'): Promise<string> {
  const { id } = await bus.call('intents.publish', { goal, payload: '{}', maxAttempts: 1, namespace })
  const { json } = await bus.request({ path: `/claim?goal=${encodeURIComponent(goal)}&namespace=${namespace}`, headers: { 'X-Worker-ID': 'pi4' } })
  await bus.fail(json as { id: string; claim_token: string }, error)
  return id
}

describe('a bus without intents', () => {
  test('the list teaches how one is published, and shows it at once', async () => {
    page = await app.open('#/intents')
    grid = page.getByRole('grid', { name: 'Intents' })
    field = page.getByRole('combobox', { name: 'Filter' })
    await expect(page.getByText('There are no intents yet')).toBeVisible()
    await expect(page.getByLabel('Publish an intent', { exact: true })).toContainText(`URL=${app.bus.url}`)
    await bus.call('intents.publish', { goal: 'first', payload: '{}' })
    await expect(rows()).toHaveCount(1)
    await expect(rows().first()).toContainText('first')
  })
})

describe('finding', () => {
  beforeAll(async () => {
    for (let i = 0; i < 3; i++) await bus.call('intents.publish', { goal: 'send_mail', payload: `{"order":${i}}` })
    await bus.call('intents.publish', { goal: 'send_fax', payload: '{"order":1,"note":"zebra"}', namespace: 'prod' })
    await die('resize', 'disk full')
    await die('resize', 'no such file', 'prod')
    await page.getByRole('button', { name: 'Refresh the list' }).click()
    await expect(rows()).toHaveCount(7)
  })

  test('with the keyboard: completions lead to a filter that stands in the address', async () => {
    await page.keyboard.press('/')
    await expect(field).toBeFocused()
    await page.keyboard.type('sta')
    await page.keyboard.press('ArrowDown')
    await page.keyboard.press('Enter')
    await expect(field).toHaveValue('status:')
    await page.keyboard.type('de')
    await expect(page.getByRole('listbox', { name: 'Completions' }).getByRole('option')).toHaveText(/dead/)
    await page.keyboard.press('ArrowDown')
    await page.keyboard.press('Enter')
    await expect(rows()).toHaveCount(2)
    expect(filter()).toBe('status:dead')
    await page.keyboard.type('ns:pr')
    await page.keyboard.press('ArrowDown')
    await page.keyboard.press('Tab')
    await expect(field).toHaveValue('status:dead ns:prod ')
    await expect(rows()).toHaveCount(1)
    await expect(page.getByText('1 intent', { exact: true })).toBeVisible()
    await page.keyboard.press('Escape')
    await expect(grid).toBeFocused()
    await page.keyboard.press('Escape')
    await expect(rows()).toHaveCount(7)
    expect(filter()).toBe('')
  })

  test('words are looked for everywhere, while they are typed', async () => {
    await field.fill('zebra')
    await expect(rows()).toHaveCount(1)
    await expect(rows()).toContainText('send_fax')
    expect(filter()).toBe('zebra')
    await field.fill('zebras')
    await expect(page.getByText('No intents match')).toBeVisible()
    await page.getByRole('button', { name: 'Clear the filter' }).last().click()
    await expect(rows()).toHaveCount(7)
  })

  test('a mistake is explained in its place, and keeps what is there', async () => {
    await field.fill('colour:red')
    await page.keyboard.press('Escape')
    await expect(field).toHaveAccessibleDescription(/There is no field/)
    await expect(page.locator('mark')).toHaveText('colour:red')
    await expect(rows()).toHaveCount(7)
    await field.press('Enter')
    await expect(page.getByText('This filter has a mistake')).toBeVisible()
    await page.getByRole('button', { name: 'Clear the filter' }).first().click()
    await expect(rows()).toHaveCount(7)
    await grid.focus()
  })

  test('with the pointer: statuses with their counts, one or several', async () => {
    await expect(chip('Dead')).toContainText('2')
    await chip('Dead').click()
    await expect(rows()).toHaveCount(2)
    await expect(field).toHaveValue('status:dead')
    await chip('Open').click({ modifiers: ['ControlOrMeta'] })
    await expect(rows()).toHaveCount(7)
    expect(filter()).toBe('status:dead,open')
    await page.goBack()
    await expect(rows()).toHaveCount(2)
    await field.fill('status:dead ns:prod')
    await field.press('Enter')
    await expect(rows()).toHaveCount(1)
    await expect(chip('Open')).toContainText('1')
    await chip('Dead').click()
    await expect(rows()).toHaveCount(2)
    expect(filter()).toBe('ns:prod')
    await page.getByRole('button', { name: 'Clear the filter' }).click()
    await expect(rows()).toHaveCount(7)
  })

  test('a view is saved, found again, renamed and removed', async () => {
    await field.fill('status:dead')
    await page.getByRole('button', { name: 'Save view' }).click()
    await page.getByRole('dialog').getByLabel('Name').fill('Gave up')
    await page.keyboard.press('Enter')
    const views = page.getByRole('navigation', { name: 'Views' })
    await expect(views.getByRole('link', { name: 'Gave up' })).toHaveAttribute('aria-current', 'true')
    await views.getByRole('link', { name: 'All' }).click()
    await expect(rows()).toHaveCount(7)
    await views.getByRole('link', { name: 'Gave up' }).click()
    await expect(rows()).toHaveCount(2)
    await views.getByRole('button', { name: 'The view Gave up' }).click()
    await page.getByRole('menuitem', { name: 'Rename' }).click()
    await page.getByRole('dialog').getByLabel('Name').fill('Dead ones')
    await page.getByRole('dialog').getByRole('button', { name: 'Save' }).click()
    await expect(views.getByRole('link', { name: 'Dead ones' })).toBeVisible()
    expect(await bus.call('views.list', {})).toMatchObject([{ name: 'Dead ones', filter: 'status:dead' }])
    await views.getByRole('button', { name: 'The view Dead ones' }).click()
    await page.getByRole('menuitem', { name: 'Remove' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Remove the view' }).click()
    await expect(views.getByRole('link')).toHaveCount(0)
    expect(await bus.call('views.list', {})).toEqual([])
    await page.getByRole('button', { name: 'Clear the filter' }).click()
    await expect(rows()).toHaveCount(7)
  })
})

describe('going through', () => {
  test('with the keyboard: down, open beside, further, and back step by step', async () => {
    await chip('Dead').click()
    await expect(rows()).toHaveCount(2)
    await grid.focus()
    await page.keyboard.press('j')
    await page.keyboard.press('Enter')
    await expect(detail().getByRole('heading', { name: 'resize' })).toBeVisible()
    await expect(detail()).toContainText('no such file')
    await expect(grid).toBeFocused()
    await page.keyboard.press('j')
    await expect(detail()).toContainText('disk full')
    await page.keyboard.press('x')
    await expect(page.getByText('1 selected')).toBeVisible()
    await page.keyboard.press('Escape')
    await expect(page.getByText('1 selected')).toHaveCount(0)
    await page.keyboard.press('Escape')
    await expect(detail()).toHaveCount(0)
    expect(filter()).toBe('status:dead')
    await page.keyboard.press('Escape')
    await expect(rows()).toHaveCount(7)
  })

  test('with the pointer: a press opens, and the way back leads to the list', async () => {
    await rows().filter({ hasText: 'send_fax' }).click()
    await expect(detail().getByRole('heading', { name: 'send_fax' })).toBeVisible()
    await page.goBack()
    await expect(detail()).toHaveCount(0)
  })

  test('on a phone the detail takes the whole page', async () => {
    const phone = await app.open('#/intents?filter=goal:send_fax', { width: 390, height: 844 })
    await rows(phone).first().getByText('send_fax').click()
    await expect(detail(phone).getByRole('heading', { name: 'send_fax' })).toBeFocused()
    await expect(phone.getByRole('combobox', { name: 'Filter' }).click({ trial: true, timeout: 500 })).rejects.toThrow(/intercepts pointer events|inert/)
    expect(await overflow(phone)).toBe(0)
    await detail(phone).getByRole('button', { name: 'Back to the list' }).click()
    await expect(detail(phone)).toHaveCount(0)
    await expect(rows(phone)).toHaveCount(1)
    await phone.context().close()
  })

  test('? names all keys', async () => {
    await page.keyboard.press('?')
    for (const label of ['Filter', 'Next intent', 'Select all that match', 'Retry what is selected', 'Back: selection']) {
      await expect(page.getByRole('dialog').getByText(label).first()).toBeVisible()
    }
    await page.keyboard.press('Escape')
  })
})

describe.each(VIEWS)('$name', (view) => {
  test('nothing sticks out, everybody can read it, and HTML is text', async () => {
    const goal = `<b onmouseover="alert(1)">bold</b> ${'long'.repeat(20)}`
    if ((await bus.call('intents.count', { filter: '<b onmouseover' })).count === 0) await die(goal, '<img src=x onerror="alert(1)">')
    const own = await app.open('#/intents', view)
    await expect(rows(own).first()).toContainText('<b onmouseover="alert(1)">bold</b>')
    if (view.width < 720) await expect(rows(own).first()).toContainText('<img src=x onerror="alert(1)">')
    await rows(own).first().getByRole('checkbox').click()
    expect(await overflow(own)).toBe(0)
    expect(await seriousFindings(own)).toEqual([])
    await own.getByRole('button', { name: 'Clear the selection' }).click()
    await own.evaluate(`location.hash = '#/intents?filter=status:dead&by=reason'`)
    await expect(own.getByRole('listitem').filter({ hasText: '<img src=x onerror=' })).toBeVisible()
    expect(await overflow(own)).toBe(0)
    expect(await seriousFindings(own)).toEqual([])
    await own.context().close()
  })
})

test('a list that cannot be loaded says why, and is there when it can', async () => {
  const own = await app.open('#/overview')
  await own.route('**/control/intents.list', (route) => route.abort())
  await own.evaluate(`location.hash = '#/intents'`)
  const failure = own.getByRole('main').getByRole('alert')
  await expect(failure).toContainText('The intents could not be loaded.')
  await expect(failure).toContainText('See whether it runs')
  await own.unroute('**/control/intents.list')
  await failure.getByRole('button', { name: 'Try again' }).click()
  await expect(rows(own).first()).toBeVisible()
  await own.context().close()
})

test('no page logged an error or broke its policy', () => {
  // Pages before their login, and the connection that was cut.
  expect(app.trouble(/status of 401 .*control\/status\.get|ERR_FAILED .*control\/intents\.list/)).toEqual([])
})
