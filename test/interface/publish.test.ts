import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import type { Locator, Page } from 'playwright'
import { expect } from 'playwright/test'
import { afterAll, beforeAll, describe, test } from 'vitest'
import type { Operating } from '../control/rig.ts'
import { Interface, overflow, seriousFindings, VIEWS } from './interface.ts'

const run = promisify(execFile)
const HTML = '<img src=x onerror=alert(1)>'

let app: Interface
let bus: Operating
let page: Page

beforeAll(async () => {
  app = await Interface.start()
  bus = app.operating
  page = await app.open('#/publish')
})
afterAll(() => app[Symbol.asyncDispose]())

/** Goes somewhere with a form that holds nothing yet. */
async function visit(hash: string): Promise<void> {
  await page.goto(`${app.bus.url}/admin/${hash}`)
  await page.reload()
  await expect(page.getByRole('heading', { name: 'Publish', level: 1 })).toBeVisible()
}

/** Follows a link. */
async function goTo(hash: string): Promise<void> {
  await page.evaluate(`location.hash = '${hash}'`)
}

async function writePayload(text: string): Promise<void> {
  await page.getByRole('textbox', { name: 'Payload' }).focus()
  await page.keyboard.press('ControlOrMeta+A')
  await page.keyboard.insertText(text)
}

function followed(): Locator {
  return page.getByRole('region', { name: 'Published' })
}

function publishButton(): Locator {
  return page.getByRole('button', { name: 'Publish', exact: true })
}

async function detailOf(link: Locator) {
  const href = (await link.getAttribute('href'))!
  return bus.call('intents.detail', { id: href.split('/').at(-1)! })
}

describe('publishing', () => {
  test('by keyboard alone, with every digit, and following it until it is fulfilled', async () => {
    await page.getByLabel('Goal').focus()
    await page.keyboard.type('publish.keys')
    for (const key of ['Tab', 'Tab']) await page.keyboard.press(key)
    // The button that formats comes first, where there is something to format.
    if (!(await page.getByRole('textbox', { name: 'Payload' }).evaluate((editor) => editor.matches(':focus')))) await page.keyboard.press('Tab')
    await page.keyboard.press('ControlOrMeta+A')
    await page.keyboard.type('{"n":12345678901234567890,"price":1.10}')
    await page.keyboard.press('ControlOrMeta+Enter')

    await expect(followed().getByRole('status').first()).toHaveText('Open')
    await expect(followed()).toContainText('Published by main key')
    const { payload } = await detailOf(followed().getByRole('link', { name: 'Details' }))
    expect(payload).toBe('{"n":12345678901234567890,"price":1.10}')

    const claim = (await bus.claim('publish.keys', 'pi4'))!
    await expect(followed().getByRole('status').first()).toHaveText('Claimed')
    await expect(followed()).toContainText('Claimed by pi4')
    await bus.fulfill(claim, { said: HTML })
    await expect(followed().getByRole('status').first()).toHaveText('Fulfilled')
    await expect(followed().getByRole('region', { name: 'Result' })).toContainText(HTML)
  })

  test('by pointer, with everything that can be set', async () => {
    const { id: publisher } = await bus.call('keys.create', { owner: 'garage pi' })
    await visit('#/publish')
    await page.getByLabel('Goal').fill('publish.pointer')
    await page.getByLabel('Namespace').fill('lab')
    await writePayload('{"a": [1, 2]}')
    await page.getByText('More settings').click()
    await page.getByLabel('Publish as').selectOption({ label: 'garage pi' })
    await expect(page.getByText('Only workers with the key of garage pi can claim it.')).toBeVisible()
    await page.getByLabel('Visibility').selectOption('Public')
    await expect(page.getByText('Workers with any key can claim it')).toBeVisible()
    await page.getByLabel('Priority').fill('700')
    await page.getByLabel('Delay (s)').fill('90.5')
    await page.getByLabel('Attempts').fill('4')
    await page.getByLabel('Backoff (s)').fill('30')
    await expect(page.getByText('After a failure it waits 60 s, 2 min, 4 min')).toBeVisible()
    await page.getByLabel('Target worker').fill('pi4')
    await page.getByLabel('Capability').fill('gpu')
    await page.getByRole('button', { name: 'Make one' }).click()
    await expect(page.getByLabel('Idempotency key', { exact: true })).toHaveValue(/^[0-9a-f]{24}$/)
    await page.getByText('More settings').click()
    await expect(page.locator('summary')).toContainText('public · as garage pi · priority 700 · delayed by 90 s · 4 attempts · backoff 30 s · only for pi4 · needs gpu')
    await publishButton().click()

    await expect(followed()).toContainText('Delayed')
    expect(await detailOf(followed().getByRole('link', { name: 'Details' }))).toMatchObject({
      goal: 'publish.pointer',
      payload: '{"a":[1,2]}',
      namespace: 'lab',
      visibility: 'public',
      publisher,
      priority: 700,
      maxAttempts: 4,
      backoffBase: 30,
      target: 'pi4',
      capability: 'gpu'
    })
  })

  test('again, as often as one likes, without losing the place', async () => {
    await visit('#/publish')
    await page.getByLabel('Goal').fill('publish.again')
    await publishButton().click()
    const details = followed().getByRole('link', { name: 'Details' })
    await expect(followed().getByRole('heading', { name: 'publish.again' })).toBeVisible()
    const first = await details.getAttribute('href')
    await followed().getByRole('button', { name: 'Publish again' }).focus()
    await page.keyboard.press('Enter')
    await expect(details).not.toHaveAttribute('href', first!)
    expect((await bus.call('intents.count', { filter: 'goal:publish.again' })).count).toBe(2)
    await expect(followed().getByRole('button', { name: 'Publish again' })).toBeFocused()
  })

  test('goes on after a look at another screen', async () => {
    await visit('#/publish')
    await publishButton().click()
    await expect(page.getByLabel('Goal')).toHaveAccessibleDescription(/Name the goal/)
    await goTo('#/keys')
    await expect(page.getByRole('heading', { name: 'Keys', level: 1 })).toBeVisible()
    await goTo('#/publish')
    await page.getByLabel('Goal').fill('publish.back')
    await expect(page.getByLabel('Goal')).not.toHaveAccessibleDescription(/Name the goal/)
    await publishButton().click()
    await expect(followed().getByRole('heading', { name: 'publish.back' })).toBeVisible()
  })

  test('offers the names that are in use', async () => {
    await bus.call('intents.publish', { goal: 'publish.suggested', payload: '1', namespace: 'suggested' })
    await page.reload()
    const suggestionsOf = (label: string) =>
      page.getByLabel(label).evaluate((input: unknown) => [...(input as { list: { options: Iterable<{ value: string }> } }).list.options].map(({ value }) => value))
    await expect.poll(() => suggestionsOf('Goal')).toContain('publish.suggested')
    expect(await suggestionsOf('Namespace')).toContain('suggested')
  })
})

describe('what is wrong', () => {
  test('is said at its field, before the bus is asked', async () => {
    await visit('#/publish')
    await publishButton().click()
    await expect(page.getByLabel('Goal')).toBeFocused()
    await expect(page.getByLabel('Goal')).toHaveAccessibleDescription('Name the goal: what is to be done.')
    await expect(page.getByRole('alert').filter({ hasText: 'Not published: one thing above' })).toBeVisible()

    await page.getByLabel('Goal').fill('publish.wrong')
    await writePayload('{"a": 1,}')
    await expect(page.getByText(/Column 9: .*no comma may stand before }/)).toBeVisible()
    await page.keyboard.press('ControlOrMeta+Enter')
    expect((await bus.call('intents.count', { filter: 'goal:publish.wrong' })).count).toBe(0)

    await writePayload(`{"a":"${'é'.repeat(3_600)}"}`)
    await expect(page.getByRole('meter')).toHaveAttribute('aria-valuetext', '7,208 of 7,168 bytes')
    await expect(page.getByText('The payload has 7,208 bytes; 7,168 fit.')).toBeVisible()
    await writePayload(`{\n  "a": "${'é'.repeat(3_580)}"\n}`)
    await expect(page.getByRole('meter')).toHaveAttribute('aria-valuetext', '7,168 of 7,168 bytes')
    await page.keyboard.press('ControlOrMeta+Enter')
    await expect(followed().getByRole('heading', { name: 'publish.wrong' })).toBeVisible()
  })

  test('is said where the bus refuses, too, and goes away with the value', async () => {
    await bus.call('intents.publish', { goal: 'publish.refused', payload: '1', idempotencyKey: 'taken' })
    await visit('#/publish')
    await page.getByLabel('Goal').fill('publish.refused')
    await page.getByText('More settings').click()
    await page.getByLabel('Idempotency key', { exact: true }).fill('taken')
    await page.getByText('More settings').click()
    await publishButton().click()
    const key = page.getByLabel('Idempotency key', { exact: true })
    await expect(key).toBeVisible()
    await expect(key).toHaveAccessibleDescription(/Key reused with different payload/)
    await expect(key).toBeFocused()
    await key.fill('another')
    await expect(key).not.toHaveAccessibleDescription(/reused/)

    const { id } = await bus.call('keys.create', { owner: 'short-lived' })
    await page.getByLabel('Publish as').selectOption({ label: 'short-lived' })
    await bus.call('keys.revoke', { id })
    await publishButton().click()
    await expect(page.getByLabel('Publish as')).toHaveAccessibleDescription(/There is no such key any more/)
  })

  test('is said of what an address asks for and nobody has', async () => {
    await visit(`#/publish?from=${'0'.repeat(32)}`)
    await expect(page.getByRole('alert').filter({ hasText: 'There is no intent with this id' })).toBeVisible()
    await visit('#/publish?template=gone')
    await expect(page.getByRole('alert').filter({ hasText: 'There is no such template any more' })).toBeVisible()
  })
})

describe('an address', () => {
  test('fills in the form and publishes nothing', async () => {
    const before = await bus.call('intents.count', { filter: '' })
    await visit(`#/publish?${new URLSearchParams({ goal: HTML, payload: '{"n":1.10}', namespace: 'lab' })}`)
    await expect(page.getByLabel('Goal')).toHaveValue(HTML)
    await expect(page.getByLabel('Namespace')).toHaveValue('lab')
    await expect(page.getByRole('textbox', { name: 'Payload' })).toContainText('"n": 1.10')
    expect(await bus.call('intents.count', { filter: '' })).toMatchObject({ count: before.count })
  })

  test('brings back an intent, to be changed and published', async () => {
    const { id } = await bus.call('intents.publish', { goal: 'publish.from', payload: '{"n":12345678901234567890}', namespace: 'prod', delay: 600, priority: 7 })
    await visit(`#/publish?from=${id}`)
    await expect(page.getByLabel('Goal')).toHaveValue('publish.from')
    await expect(page.getByRole('textbox', { name: 'Payload' })).toContainText('12345678901234567890')
    await expect(page.locator('summary')).toContainText('priority 7 · delayed by 10 min')
  })

  test('does not take what is being written without asking', async () => {
    await visit('#/publish')
    await page.getByLabel('Goal').fill('publish.dear')
    await goTo('#/publish?goal=other')
    const question = page.getByRole('dialog', { name: 'Replace what you have written?' })
    await question.getByRole('button', { name: 'Back' }).click()
    await expect(page.getByLabel('Goal')).toHaveValue('publish.dear')
    // Nor does another screen.
    await goTo('#/keys')
    await expect(page.getByRole('heading', { name: 'Keys', level: 1 })).toBeVisible()
    await goTo('#/publish')
    await expect(page.getByLabel('Goal')).toHaveValue('publish.dear')
  })
})

test('the same as curl, from this page to the bus', async () => {
  await visit('#/publish')
  const goal = `publish.curl it's $HOME`
  await page.getByLabel('Goal').fill(goal)
  await writePayload(`{"text": "it's \\"$(id)\\" \`x\`", "n": 1.10}`)
  await page.getByRole('button', { name: 'Copy code that publishes this' }).click()
  const { stdout } = await run('sh', ['-c', await page.evaluate<string>('navigator.clipboard.readText()')])
  const { id } = JSON.parse(stdout) as { id: string }
  expect(await bus.call('intents.detail', { id })).toMatchObject({ goal, payload: `{"text":"it's \\"$(id)\\" \`x\`","n":1.10}`, publisher: 'main' })
})

test.each(VIEWS)('looks right: $name', async (view) => {
  // Of its own: those of the views before come back from their backoff meanwhile.
  const goal = `${HTML} ${view.name} ${'long'.repeat(50)}`
  const seen = await app.open(`#/publish?${new URLSearchParams({ goal, payload: `{"${'key'.repeat(80)}":"${HTML}"}` })}`, view)
  await seen.getByText('More settings').click()
  await seen.getByRole('textbox', { name: 'Payload' }).focus()
  await seen.keyboard.press('ControlOrMeta+Enter')
  const region = seen.getByRole('region', { name: 'Published' })
  await expect(region.getByRole('status').first()).toHaveText('Open')
  await expect(region).toBeInViewport()
  // Only the screen scrolls, never what is around it.
  expect(await seen.evaluate('document.scrollingElement.scrollTop + document.body.scrollTop')).toBe(0)
  await bus.fail((await bus.claim(goal, 'pi4'))!, `${HTML} ${'error'.repeat(80)}`)
  await expect(region).toContainText(HTML)
  await expect(region).toContainText('Backing off')
  expect(await overflow(seen)).toBe(0)
  expect(await seriousFindings(seen)).toEqual([])
  await seen.context().close()
})

test('nothing went wrong in any page', () => {
  // Browsers log each refusal that these tests provoke.
  expect(app.trouble(/status of 4(00|04|22)/)).toEqual([])
})
