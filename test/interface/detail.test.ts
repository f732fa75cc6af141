import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import type { Locator, Page } from 'playwright'
import { expect } from 'playwright/test'
import { afterAll, beforeAll, describe, test } from 'vitest'
import type { Operating } from '../control/rig.ts'
import { Interface, overflow, seriousFindings, VIEWS } from './interface.ts'

const run = promisify(execFile)

let app: Interface
let bus: Operating
let page: Page
let detail: Locator

beforeAll(async () => {
  app = await Interface.start()
  bus = app.operating
  page = await app.open()
  detail = page.getByRole('article', { name: 'Intent' })
})
afterAll(() => app[Symbol.asyncDispose]())

/** Shows an intent in the page that is open already. */
async function show(id: string): Promise<void> {
  await page.evaluate(`location.hash = '#/intents/${id}'`)
  await expect(detail.getByText(id)).toBeVisible()
}

/** Presses Tab until the focus is where it should be, as somebody without a pointer does. */
async function tabTo(target: Locator): Promise<void> {
  for (let i = 0; i < 120; i++) {
    if ((await target.and(page.locator(':focus')).count()) > 0) return
    await page.keyboard.press('Tab')
  }
  throw new Error('The Tab key does not get there.')
}

function history(): Locator {
  return detail.getByRole('region', { name: 'History' })
}

function status(): Locator {
  return detail.getByRole('status').first()
}

describe('following an intent', () => {
  test('shows each thing that happens to it, at once, and what runs out', async () => {
    const { id } = await bus.call('intents.publish', { goal: 'detail.follow', payload: '{"n":1}', backoffBase: 30, maxAttempts: 2 })
    await show(id)
    await expect(detail.getByRole('heading', { name: 'detail.follow' })).toBeVisible()
    await expect(status()).toHaveText('Open')
    await expect(history()).toContainText('Published by main key')
    await expect(history()).toContainText('Waiting for a worker')

    const claim = (await bus.claim('detail.follow', 'pi4'))!
    await expect(status()).toHaveText('Claimed')
    await expect(history()).toContainText('Claimed by pi4 (main key), attempt 1 of 2')
    await expect(history()).toContainText(/Lease ends in\s*\d+ s|1 min 00 s/)
    await expect(detail.getByRole('region', { name: 'What now?' })).toContainText('attempt 2 of 2')

    await bus.request({ path: `/extend_claim/${id}`, body: { claim_token: claim.claim_token, seconds: 600 } })
    await expect(history()).toContainText('Lease extended until')
    await bus.fail(claim, 'ENOSPC <img src=x onerror=alert(1)>')
    await expect(status()).toHaveText('Open')
    await expect(history()).toContainText('ENOSPC <img src=x onerror=alert(1)>')
    await expect(history()).toContainText(/Backing off\s*Claimable in\s*1 min 0\d s/)

    await bus.call('intents.retry', { id })
    await bus.fulfill((await bus.claim('detail.follow', 'pi4'))!, 'done')
    await expect(status()).toHaveText('Fulfilled')
    await expect(detail.getByRole('region', { name: 'Result' })).toContainText('"done"')
  })

  test('counts down each second without moving anything', async () => {
    const { id } = await bus.call('intents.publish', { goal: 'detail.delayed', payload: '1', delay: 300 })
    await show(id)
    const timer = history().getByRole('timer').first()
    await expect(detail.getByRole('heading', { name: 'detail.delayed' })).toBeVisible()
    // What stands above it comes with an answer of its own.
    await expect(async () => {
      const box = await timer.boundingBox()
      await page.waitForTimeout(300)
      expect(await timer.boundingBox()).toEqual(box)
    }).toPass()
    const before = { text: await timer.innerText(), box: await timer.boundingBox() }
    await expect(timer).not.toHaveText(before.text, { timeout: 3_000 })
    expect(await timer.boundingBox()).toEqual(before.box)
  })

  test('folds a long history, and unfolds it', async () => {
    const { id } = await bus.call('intents.publish', { goal: 'detail.long', payload: '1' })
    for (let i = 0; i < 8; i++) {
      await bus.claim('detail.long', `worker-${i}`)
      await bus.call('intents.cancel', { id })
      await bus.call('intents.retry', { id })
    }
    await show(id)
    await expect(history()).toContainText('worker-7')
    await expect(history()).not.toContainText('worker-0')
    await history().getByRole('button', { name: 'Show 5 more' }).click()
    await expect(history()).toContainText('worker-0')
    await page.keyboard.press('Enter')
    await expect(history()).not.toContainText('worker-0')
  })

  test('says that it was deleted, and keeps what was known', async () => {
    const { id } = await bus.call('intents.publish', { goal: 'detail.deleted', payload: '"kept"', namespace: 'doomed' })
    await show(id)
    await expect(detail.getByRole('heading', { name: 'detail.deleted' })).toBeVisible()
    await bus.call('bus.purge', { namespace: 'doomed', confirm: true })
    await expect(detail.getByRole('alert')).toContainText('was deleted')
    await expect(status()).toHaveText('Deleted')
    await expect(detail.getByRole('region', { name: 'Payload' })).toContainText('kept')
    await expect(detail.getByRole('button', { name: 'Cancel' })).toHaveCount(0)
  })

  test('says that there is none, and why it could not be loaded', async () => {
    await show('f'.repeat(32))
    await expect(detail).toContainText('There is no intent with this id')
    await show('no-id')
    await expect(detail).toContainText('There is no intent with this id')

    const { id } = await bus.call('intents.publish', { goal: 'detail.unreachable', payload: '1' })
    let asked = 0
    await page.route('**/control/intents.detail', (route) => {
      asked++
      return route.abort()
    })
    await show(id)
    await expect(detail.getByRole('alert')).toContainText('The bus does not answer')
    const before = asked
    await detail.getByRole('button', { name: 'Try again' }).click()
    await expect.poll(() => asked).toBeGreaterThan(before)
    await page.unroute('**/control/intents.detail')
    // Any event of the intent asks again, too, and may be first.
    const heading = detail.getByRole('heading', { name: 'detail.unreachable' })
    await expect(async () => {
      if (!(await heading.isVisible())) await detail.getByRole('button', { name: 'Try again' }).click({ timeout: 1_000 })
      await expect(heading).toBeVisible({ timeout: 1_000 })
    }).toPass()
  })
})

describe('content', () => {
  test('is shown as a tree and as exact text, with every digit, and never as HTML', async () => {
    const payload = '{"big":12345678901234567890,"price":1.10,"html":"<b onclick=alert(1)>x</b>"}'
    const { id } = await bus.call('intents.publish', { goal: '<i>detail.content</i>', payload })
    await show(id)
    const section = detail.getByRole('region', { name: 'Payload' })
    await expect(section.getByRole('tree')).toContainText('12345678901234567890')
    await expect(section.getByRole('tree')).toContainText('1.10')
    await section.getByText('Text', { exact: true }).click()
    await expect(section).toContainText(payload)
    await expect(detail.getByRole('heading', { name: '<i>detail.content</i>' })).toBeVisible()
    await section.getByRole('button', { name: 'Copy payload' }).click()
    expect(await page.evaluate('navigator.clipboard.readText()')).toBe(payload)
  })

  test('of the type text is that text', async () => {
    const { id } = await bus.call('intents.publish', { goal: 'detail.text', payload: 'null' })
    const { claim_token } = (await bus.claim('detail.text', 'pi4'))!
    await bus.request({ path: `/fulfill/${id}`, body: { claim_token, result: 'two\nlines "quoted"', result_type: 'text' } })
    await show(id)
    await expect(detail.getByRole('region', { name: 'Result' }).locator('pre')).toHaveText('two\nlines "quoted"')
  })
})

describe('doing something about it', () => {
  test('with the pointer: cancel, retry, edit and publish again', async () => {
    const { id } = await bus.call('intents.publish', { goal: 'detail.pointer', payload: '1' })
    await show(id)
    await detail.getByRole('button', { name: 'Cancel' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Back' }).click()
    await expect(status()).toHaveText('Open')
    await detail.getByRole('button', { name: 'Cancel' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Cancel the intent' }).click()
    await expect(status()).toHaveText('Dead')
    await expect(detail.getByRole('region', { name: 'Reason' })).toContainText('Cancelled by an operator.')
    await detail.getByRole('button', { name: 'Retry' }).click()
    await expect(status()).toHaveText('Open')
    await expect(history()).toContainText('Retried')
    await detail.getByRole('button', { name: 'More actions' }).click()
    await page.getByRole('menuitem', { name: 'Edit and publish again' }).click()
    await expect(page).toHaveURL(new RegExp(`#/publish\\?from=${id}$`))
  })

  test('with the keyboard: a claimed intent is cancelled after a warning, and duplicated', async () => {
    const { id } = await bus.call('intents.publish', { goal: 'detail.keyboard', payload: '[1]', priority: 7 })
    const claim = (await bus.claim('detail.keyboard', 'pi4'))!
    await show(id)
    await tabTo(detail.getByRole('button', { name: 'Cancel' }))
    await page.keyboard.press('Enter')
    const dialog = page.getByRole('dialog')
    await expect(dialog).toContainText('pi4 holds it')
    await tabTo(dialog.getByRole('button', { name: 'Cancel the intent' }))
    await page.keyboard.press('Enter')
    await expect(status()).toHaveText('Dead')
    const late = await bus.request({ path: `/fulfill/${id}`, body: { claim_token: claim.claim_token } })
    expect(late.status).toBe(404)

    await tabTo(detail.getByRole('button', { name: 'More actions' }))
    await page.keyboard.press('Enter')
    await expect(page.getByRole('menuitem', { name: 'Duplicate' })).toBeFocused()
    await page.keyboard.press('Enter')
    const link = page.getByRole('link', { name: 'Show the new intent' })
    await expect(link).toBeVisible()
    await tabTo(link)
    await page.keyboard.press('Enter')
    await expect(status()).toHaveText('Open')
    const { rows } = await bus.call('intents.list', { filter: 'goal:detail.keyboard status:open' })
    expect(rows).toMatchObject([{ priority: 7 }])
    await expect(detail.getByText(rows[0]!.id)).toBeVisible()
  })

  test('retrying what is fulfilled warns that its result is lost', async () => {
    const { id } = await bus.call('intents.publish', { goal: 'detail.again', payload: '1' })
    await bus.fulfill((await bus.claim('detail.again', 'pi4'))!, 42)
    await show(id)
    await detail.getByRole('button', { name: 'More actions' }).click()
    await page.getByRole('menuitem', { name: 'Retry' }).click()
    await expect(page.getByRole('dialog')).toContainText('its result is cleared')
    await page.getByRole('dialog').getByRole('button', { name: 'Retry the intent' }).click()
    await expect(status()).toHaveText('Open')
    expect((await bus.call('intents.detail', { id })).result).toBeNull()
  })

  test('the copied curl publishes the same again, in a real shell', async () => {
    const publication = {
      goal: `detail.curl it's "$HOME" \`id\``,
      payload: '{"big":12345678901234567890,"price":1.10,"text":"it\'s \\\\ $(id) \\u00e9 <b>"}',
      namespace: 'curl',
      visibility: 'public' as const,
      priority: 512,
      delay: 90,
      maxAttempts: 5,
      backoffBase: 2.5,
      target: 'pi4',
      capability: 'gpu'
    }
    const { id } = await bus.call('intents.publish', publication)
    await show(id)
    await detail.getByRole('button', { name: 'More actions' }).click()
    await page.getByRole('menuitem', { name: 'Copy publish as curl' }).click()
    await expect(page.getByText('Copied a command that publishes it again.')).toBeVisible()
    const { stdout } = await run('sh', ['-c', await page.evaluate<string>('navigator.clipboard.readText()')])
    const copy = await bus.call('intents.detail', { id: (JSON.parse(stdout) as { id: string }).id })
    const { delay, ...kept } = publication
    expect(copy).toMatchObject(kept)
    expect(copy.runAt - copy.createdAt).toBeCloseTo(delay, 2)

    await detail.getByRole('button', { name: 'More actions' }).click()
    await page.getByRole('menuitem', { name: 'Copy status as curl' }).click()
    await expect(page.getByText('Copied a command that asks for its status.')).toBeVisible()
    const answer = await run('sh', ['-c', await page.evaluate<string>('navigator.clipboard.readText()')])
    expect(JSON.parse(answer.stdout)).toMatchObject({ id, status: 'open' })
  })
})

describe("why it isn't running", () => {
  function explanation(): Locator {
    return detail.getByRole('region', { name: "Why isn't this running?" })
  }

  test('has the whole width of the pane, whatever the width of the window', async () => {
    const { id } = await bus.call('intents.publish', { goal: 'detail.wide', payload: '{}' })
    await show(id)
    await expect(explanation()).toBeVisible()
    const widthOf = async (part: Locator): Promise<number> => (await part.boundingBox())!.width
    expect(await widthOf(explanation())).toBeGreaterThan((await widthOf(detail)) - 40)
  })

  test('the answer comes first, then each rule; it changes with the workers', async () => {
    const { id } = await bus.call('intents.publish', { goal: 'detail.gpu', payload: '1', capability: 'gpu' })
    await show(id)
    await expect(explanation().getByRole('paragraph').first()).toContainText('gpu')
    const rule = (name: string): Locator => explanation().getByRole('listitem').filter({ has: page.getByText(name, { exact: true }) })
    await expect(rule('Capability')).toContainText('Fails')
    await expect(rule('Bus')).toContainText('Holds')
    await bus.claim('something else', 'pi5', { 'X-Worker-Capabilities': 'gpu' })
    await expect(explanation()).toContainText('pi5', { timeout: 10_000 })
    await bus.claim('detail.gpu', 'pi5', { 'X-Worker-Capabilities': 'gpu' })
    await expect(explanation()).toHaveCount(0)
    await expect(detail.getByRole('region', { name: 'What now?' })).toContainText('pi5')
  })

  test('the shown claim gets it, and what is ahead is a filter away', async () => {
    await bus.call('intents.publish', { goal: 'detail.queue', payload: '1', priority: 900 })
    const { id } = await bus.call('intents.publish', { goal: 'detail.queue', payload: '2', priority: 800 })
    await show(id)
    await explanation().getByRole('button', { name: 'Copy Claim' }).click()
    const claim = await page.evaluate<string>('navigator.clipboard.readText()')
    await expect(explanation()).toContainText('1 intent comes before it')
    const link = explanation().getByRole('link', { name: 'Show the queue' })
    await expect(link).toHaveAttribute('href', /filter=status%3Aopen\+ns%3Adefault\+goal%3Adetail.queue\+priority%3A%3E%3D800/)
    const { stdout } = await run('sh', ['-c', `${claim}; ${claim.split('\n').slice(2).join('\n')}`])
    expect(stdout).toContain(id)
    await expect(status()).toHaveText('Claimed')
  })

  test('what only waits says until when', async () => {
    const { id } = await bus.call('intents.publish', { goal: 'detail.wait', payload: '1', delay: 2 })
    await show(id)
    await expect(explanation().getByRole('listitem').filter({ hasText: 'Run time' })).toContainText('Waits')
    await expect(explanation().getByRole('listitem').filter({ hasText: 'Run time' })).toContainText('Holds', { timeout: 6_000 })
  })
})

describe.each(VIEWS)('$name', (view) => {
  test('nothing sticks out, and everybody can read it', async () => {
    const goal = `detail.${view.width}${view.colorScheme}`
    const long = `${goal}_which_is_rather_long_and_without_any_place_to_break_it_in_two_so_that_it_must_be_broken_anywhere`
    const open = await bus.call('intents.publish', { goal: long, payload: JSON.stringify({ text: 'x'.repeat(3_000) }), capability: 'gpu' })
    const dead = await bus.call('intents.publish', { goal, payload: '[{"a":[1,2,{"b":null}]}]', maxAttempts: 1 })
    await bus.fail((await bus.claim(goal, 'pi4'))!, 'y'.repeat(500))
    const own = await app.open(`#/intents/${open.id}`, view)
    await expect(own.getByRole('heading', { name: long })).toBeVisible()
    await expect(own.getByRole('region', { name: "Why isn't this running?" }).getByRole('listitem').first()).toBeVisible()
    expect(await overflow(own)).toBe(0)
    if (view.width < 720) expect(await seriousFindings(own)).toEqual([])
    await own.evaluate(`location.hash = '#/intents/${dead.id}'`)
    await expect(own.getByRole('region', { name: 'Reason' })).toBeVisible()
    expect(await overflow(own)).toBe(0)
    // Each of the two in light and dark: axe takes its time.
    if (view.width > 720) expect(await seriousFindings(own)).toEqual([])
    await own.context().close()
  })
})

test('no page logged an error or broke its policy', () => {
  // What the tests above asked for: pages before their login, ids that nobody has, and a connection that was cut.
  const expected = /status of 401 .*control\/status\.get|status of 40[04] .*control\/intents\.(detail|explain)|ERR_FAILED .*control\/intents\.detail/
  expect(app.trouble(expected)).toEqual([])
})
