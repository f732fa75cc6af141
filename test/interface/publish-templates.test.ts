import type { Locator, Page } from 'playwright'
import { expect } from 'playwright/test'
import { afterAll, beforeAll, beforeEach, describe, test } from 'vitest'
import type { Operating } from '../control/rig.ts'
import { Interface, overflow, seriousFindings, VIEWS } from './interface.ts'

const HTML = '<b>bold</b>'
const SCHEMA = {
  type: 'object',
  required: ['url', 'width', 'owner'],
  properties: {
    url: { type: 'string', title: 'Picture', description: 'Where the picture is.' },
    width: { type: 'integer', minimum: 1, maximum: 8192, default: 640 },
    quality: { type: 'number' },
    mode: { enum: ['fit', 'crop'] },
    keep: { type: 'boolean', title: 'Keep the original' },
    owner: { type: 'object', required: ['name'], properties: { name: { type: 'string', pattern: '^[a-z]+$' } } },
    tags: { type: 'array', items: { type: 'string' } },
    steps: { type: 'array', items: { type: 'object' } }
  }
}

let app: Interface
let bus: Operating
let page: Page

beforeAll(async () => {
  app = await Interface.start()
  bus = app.operating
  page = await app.open('#/publish')
})
afterAll(() => app[Symbol.asyncDispose]())
beforeEach(async () => {
  await page.goto(`${app.bus.url}/admin/#/publish`)
  await page.reload()
})

function templates(): Locator {
  return page.getByRole('region', { name: 'Templates' })
}

function followed(): Locator {
  return page.getByRole('region', { name: 'Published' })
}

function row(name: string): Locator {
  return templates().getByRole('listitem').filter({ hasText: name })
}

async function choose(name: string, action: string): Promise<void> {
  await row(name).getByRole('button', { name: `More for ${name}` }).click()
  await page.getByRole('menuitem', { name: action }).click()
}

/** The payload of the intent that was published last of a goal. */
async function lastPayload(goal: string): Promise<string> {
  const { rows } = await bus.call('intents.list', { filter: `goal:${goal}`, limit: 1 })
  return (await bus.call('intents.detail', { id: rows[0]!.id })).payload
}

describe('a template', () => {
  test('is saved from the form, run with one press, and shows what came of it', async () => {
    await expect(templates()).toContainText('No templates yet')
    await page.getByLabel('Goal').fill('template.saved')
    await page.getByRole('button', { name: 'Save as template' }).click()
    const dialog = page.getByRole('dialog', { name: 'Save as template' })
    await dialog.getByRole('button', { name: 'Save' }).click()
    await expect(dialog.getByLabel('Name')).toHaveAccessibleDescription('Give it a name.')
    await dialog.getByLabel('Name').fill(`Say ${HTML}`)
    await page.keyboard.press('Enter')
    await expect(dialog).toBeHidden()
    await expect(page.getByRole('heading', { name: `Say ${HTML}` })).toBeVisible()

    await row(HTML).getByRole('button', { name: 'Run' }).click()
    await expect(followed().getByRole('heading', { name: 'template.saved' })).toBeVisible()
    const claim = (await bus.claim('template.saved', 'pi4'))!
    await expect(row(HTML)).toContainText('Claimed')
    await bus.fulfill(claim, { said: HTML })
    await expect(row(HTML)).toContainText(`Fulfilled`)
    await expect(row(HTML)).toContainText(`{"said":"${HTML}"}`)

    await followed().getByRole('button', { name: 'Publish again' }).click()
    await expect(row(HTML)).toContainText('Open')
    await bus.fail((await bus.claim('template.saved', 'pi4'))!, HTML)
    await expect(followed()).toContainText(HTML)
    // What came of it last is known to this browser, whenever it comes back.
    await page.reload()
    await expect(row(HTML)).toContainText('Open')
  })

  test('is changed, renamed and removed', async () => {
    await bus.call('templates.save', { name: 'Backup', goal: 'template.backup', payload: '{"full":true}', priority: 7 })
    await row('Backup').getByRole('link', { name: 'Backup' }).click()
    await expect(page.getByLabel('Goal')).toHaveValue('template.backup')
    await page.getByLabel('Namespace').fill('cellar')
    await expect(page.getByText('changed', { exact: true })).toBeVisible()
    await page.getByRole('button', { name: 'Save changes' }).click()
    await expect(row('Backup')).toContainText('template.backup in cellar')
    await expect(page.getByRole('button', { name: 'Save changes' })).toBeHidden()

    await choose('Backup', 'Name and schema')
    await page.getByLabel('Name', { exact: true }).fill('Full backup')
    await page.getByRole('button', { name: 'Save', exact: true }).click()
    await expect(row('Full backup')).toBeVisible()
    await expect(page.getByRole('heading', { name: 'Full backup' })).toBeVisible()
    const [saved] = (await bus.call('templates.list', {})).filter(({ goal }) => goal === 'template.backup')
    expect(saved).toMatchObject({ name: 'Full backup', namespace: 'cellar', priority: 7 })

    await page.getByRole('button', { name: 'What to do with the template' }).click()
    await page.getByRole('menuitem', { name: 'Save as new' }).click()
    await page.getByLabel('Name', { exact: true }).fill('Second backup')
    await page.getByRole('button', { name: 'Save', exact: true }).click()
    await expect(row('Second backup')).toBeVisible()
    await choose('Full backup', 'Remove')
    await page.getByRole('button', { name: 'Remove the template' }).click()
    await expect(row('Full backup')).toBeHidden()
    await expect(row('Second backup')).toBeVisible()
  })

  test('that somebody else changes or removes is followed', async () => {
    const template = await bus.call('templates.save', { name: 'Shared', goal: 'template.shared', payload: '1' })
    await row('Shared').getByRole('link', { name: 'Shared' }).click()
    await expect(page.getByLabel('Goal')).toHaveValue('template.shared')
    const { updatedAt: _, ...content } = template
    await bus.call('templates.save', { ...content, name: 'Shared by two', goal: 'template.theirs' })
    await expect(page.getByRole('heading', { name: 'Shared by two' })).toBeVisible()
    await expect(page.getByLabel('Goal')).toHaveValue('template.theirs')
    await bus.call('templates.remove', { id: template.id })
    await expect(page.getByRole('heading', { name: 'New intent' })).toBeVisible()
    await expect(page.getByLabel('Goal')).toHaveValue('template.theirs')
  })
})

describe('a schema', () => {
  test('is written in an editor of its own, begun from the payload, and explained', async () => {
    await bus.call('templates.save', { name: 'Begun', goal: 'schema.begun', payload: '{"url":"x","sizes":[{}]}' })
    await choose('Begun', 'Name and schema')
    const dialog = page.getByRole('dialog', { name: 'Name and schema' })
    await dialog.getByRole('button', { name: 'Make one from the payload' }).click()
    await expect(dialog).toContainText('The form shows url. As JSON only: sizes.')
    await dialog.getByRole('textbox', { name: 'JSON Schema of the payload' }).focus()
    await page.keyboard.press('ControlOrMeta+A')
    await page.keyboard.insertText('{"$ref": "#/none"}')
    await dialog.getByRole('button', { name: 'Save' }).click()
    await expect(dialog.getByText('The schema has a mistake').first()).toBeVisible()
    await dialog.getByRole('textbox', { name: 'JSON Schema of the payload' }).focus()
    await page.keyboard.press('ControlOrMeta+A')
    await page.keyboard.insertText('{"properties": {"url": {"type": "string"}}')
    await dialog.getByRole('button', { name: 'Save' }).click()
    await expect(dialog.getByText('Here is still missing a comma or }')).toBeVisible()
    await page.keyboard.press('Escape')
    await expect(dialog).toBeHidden()
  })

  test('turns into a form, by keyboard and pointer; the JSON is the same payload', async () => {
    await bus.call('templates.save', { name: 'Resize', goal: 'schema.form', payload: '{"extra":1.10}', schema: JSON.stringify(SCHEMA) })
    // It lacks values: it is opened instead of run.
    await row('Resize').getByRole('button', { name: 'Run' }).click()
    await expect(page.getByLabel('Picture', { exact: true })).toBeVisible()
    expect((await bus.call('intents.count', { filter: 'goal:schema.form' })).count).toBe(0)
    await expect(page.getByLabel('width', { exact: true })).toHaveValue('640')
    await expect(page.getByText('Also in the payload, but not in the schema: extra')).toBeVisible()

    await page.keyboard.press('ControlOrMeta+Enter')
    await expect(page.getByLabel('Picture', { exact: true })).toBeFocused()
    await expect(page.getByLabel('Picture', { exact: true })).toHaveAccessibleDescription(/This is needed/)
    await page.keyboard.type(`https://example.org/${HTML}`)
    await page.keyboard.press('Tab')
    await page.keyboard.press('ControlOrMeta+A')
    await page.keyboard.type('9999.5')
    await expect(page.getByLabel('width', { exact: true })).toHaveAccessibleDescription(/This must be a whole number/)
    await page.keyboard.press('ControlOrMeta+A')
    await page.keyboard.type('123')
    await page.getByLabel('quality (optional)').fill('12345678901234567890.10')
    await page.getByLabel('mode (optional)').selectOption('crop')
    await page.getByLabel('Keep the original (optional)').selectOption('false')
    await page.getByRole('group', { name: 'owner' }).getByLabel('name').fill('ada')
    for (const [i, tag] of ['first', 'second'].entries()) {
      await page.getByRole('button', { name: 'Add to tags' }).click()
      await expect(page.getByLabel(`tags ${i + 1}`, { exact: true })).toBeFocused()
      await page.keyboard.type(tag)
    }
    await page.getByRole('button', { name: 'Take out tags 1' }).click()

    await page.getByRole('button', { name: 'Edit as JSON: steps' }).click()
    const editor = page.getByRole('textbox', { name: 'Payload' })
    await expect(editor).toContainText('"quality": 12345678901234567890.10')
    await editor.focus()
    await page.keyboard.press('ControlOrMeta+End')
    await page.keyboard.press('Backspace')
    await page.keyboard.insertText(',"steps":[{"a":1}]}')
    await page.getByText('Form', { exact: true }).click()
    await expect(page.getByLabel('Picture', { exact: true })).toHaveValue(`https://example.org/${HTML}`)
    await expect(page.getByText('[{"a":1}]', { exact: true })).toBeVisible()
    await page.getByLabel('mode (optional)').selectOption('Not set')

    await page.getByRole('button', { name: 'Publish', exact: true }).click()
    await expect(followed().getByRole('heading', { name: 'schema.form' })).toBeVisible()
    expect(await lastPayload('schema.form')).toBe(
      `{"extra":1.10,"width":123,"owner":{"name":"ada"},"url":"https://example.org/${HTML}","quality":12345678901234567890.10,"keep":false,"tags":["second"],"steps":[{"a":1}]}`
    )
  })

  test('holds for JSON that no form can show', async () => {
    await bus.call('templates.save', { name: 'List', goal: 'schema.list', payload: '[1]', schema: '{"type":"array","items":{"type":"integer"}}' })
    await row('List').getByRole('link', { name: 'List' }).click()
    await expect(page.getByText('which no form can show')).toBeVisible()
    await page.getByRole('textbox', { name: 'Payload' }).focus()
    await page.keyboard.press('ControlOrMeta+A')
    await page.keyboard.insertText('[1, "two"]')
    await page.keyboard.press('ControlOrMeta+Enter')
    await expect(page.getByText('/1: This must be a whole number.')).toBeVisible()
    expect((await bus.call('intents.count', { filter: 'goal:schema.list' })).count).toBe(0)
  })
})

test.each(VIEWS)('looks right: $name', async (view) => {
  const name = `Resize ${HTML} ${'long'.repeat(15)}`
  const payload = JSON.stringify({ url: HTML.repeat(30), owner: { name: HTML }, tags: ['x'.repeat(200)], steps: [{ deep: 'y'.repeat(300) }] })
  const { id } = await bus.call('templates.save', { name, goal: 'g'.repeat(200), payload, schema: JSON.stringify(SCHEMA) })
  const seen = await app.open(`#/publish?template=${id}`, view)
  await expect(seen.getByLabel('Picture', { exact: true })).toHaveValue(HTML.repeat(30))
  await seen.getByRole('button', { name: 'Publish', exact: true }).click()
  await expect(seen.getByText('This does not fit the pattern').first()).toBeVisible()
  expect(await overflow(seen)).toBe(0)
  expect(await seriousFindings(seen)).toEqual([])
  await seen.getByText('JSON', { exact: true }).click()
  await expect(seen.getByText('/owner/name: This does not fit the pattern')).toBeVisible()
  await seen.getByRole('button', { name: 'What to do with the template' }).click()
  await seen.getByRole('menuitem', { name: 'Name and schema' }).click()
  await expect(seen.getByText('As JSON only: steps.')).toBeVisible()
  expect(await overflow(seen)).toBe(0)
  expect(await seriousFindings(seen)).toEqual([])
  await seen.context().close()
  await bus.call('templates.remove', { id })
})

test('nothing went wrong in any page', () => {
  expect(app.trouble()).toEqual([])
})
