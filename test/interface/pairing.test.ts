import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import jsQR from 'jsqr'
import type { Page } from 'playwright'
import { expect } from 'playwright/test'
import { afterAll, beforeAll, describe, test } from 'vitest'
import { HomeNetwork } from '../support/home-network.ts'
import { HomeRig } from './home-rig.ts'
import { overflow, seriousFindings } from './interface.ts'

/** Pairing: what the phone or another machine sees, and whoever lets it in. */

const trouble = HomeNetwork.trouble()

describe.skipIf(trouble !== undefined)(`letting devices in${trouble === undefined ? '' : ` (${trouble})`}`, () => {
  let rig: HomeRig

  beforeAll(async () => {
    rig = await HomeRig.start({ BUS_SHARE: 'true', BUS_DISCOVERY: 'false' })
  }, 60_000)
  afterAll(() => rig?.[Symbol.asyncDispose]())

  test('the QR code on the screen is the link of the bus, in light and in dark', async () => {
    const { link } = await rig.showCode()
    const camera = await rig.desk.open('about:blank')
    for (const colorScheme of ['light', 'dark'] as const) {
      await rig.page.emulateMedia({ colorScheme })
      expect(await scanned(rig.page, camera)).toBe(link)
    }
    await camera.context().close()
    await rig.page.emulateMedia({ colorScheme: 'light' })
    expect(link).toContain(`${rig.lanUrl}/admin/#pair=`)
    await rig.section('Pair a device').getByRole('button', { name: 'Done' }).click()
    await expect(rig.section('Pair a device').getByRole('button', { name: 'Pair a device' })).toBeVisible()
    expect(rig.shared.call('pairing.get', {}).code).toBeNull()
  })

  /** A phone that scanned the code; its link leads straight to the interface. */
  function scan(link: string): Promise<Page> {
    return rig.pocket.open(link, { width: 390, height: 844 })
  }

  describe('a phone', () => {
    let phone: Page
    afterAll(() => phone?.context().close())

    test('asks by the link, which leaves its address bar at once, and is refused by the answer at hand', async () => {
      phone = await scan((await rig.showCode()).link)
      await expect(phone.getByRole('button', { name: 'Ask for access' })).toBeVisible()
      expect(phone.url()).toBe(`${rig.lanUrl}/admin/`)
      await phone.getByText('Did the browser warn').click()
      await expect(phone.locator('details')).toContainText(rig.shared.view.identity!.pin)
      expect(await overflow(phone)).toBe(0)
      expect(await seriousFindings(phone)).toEqual([])
      await phone.getByLabel('Name of this device').fill('Phone of <b>Ada</b>')
      await phone.getByRole('button', { name: 'Ask for access' }).click()
      await expect(phone.getByText('Now allow “Phone of <b>Ada</b>” where the bus runs.')).toBeVisible()

      await rig.goTo('#/overview')
      await expect(rig.dialog).toContainText('Phone of <b>Ada</b> asks for this interface in a browser.')
      await expect(rig.dialog).toContainText(rig.phoneHost.address)
      await expect(rig.dialog.getByRole('button', { name: 'Refuse' })).toBeFocused()
      // Whoever was about to press a key as it came up answers nothing by that.
      await rig.page.waitForTimeout(700)
      expect(await seriousFindings(rig.page)).toEqual([])
      await rig.page.keyboard.press('Enter')
      await expect(phone.locator('form').getByRole('alert')).toContainText('Pair a device')
      await expect(rig.dialog).toHaveCount(0)
    })

    test('is told that a used code does not count', async () => {
      await phone.getByRole('button', { name: 'Ask for access' }).click()
      await expect(phone.locator('form').getByRole('alert')).toContainText('A code counts once')
    })

    test('put off, waits in a banner until somebody decides; allowed, it comes in by itself with what it was given', async () => {
      await rig.goTo('#/lan')
      const { link } = await rig.showCode()
      await rig.goTo('#/workers')
      // The same tab: only the hash changes.
      await phone.goto(link)
      await expect(phone).toHaveURL(`${rig.lanUrl}/admin/`)
      await phone.getByLabel('Name of this device').fill('Phone')
      await phone.getByRole('button', { name: 'Ask for access' }).click()
      await rig.readQuestion('Phone asks for this interface')
      await rig.page.keyboard.press('Escape')
      await expect(rig.dialog).toHaveCount(0)
      await rig.page.getByRole('link', { name: 'Decide' }).click()
      await rig.readQuestion('Phone asks for this interface')
      await rig.dialog.getByLabel('Name', { exact: true }).fill('Phone of Ada')
      await expect(rig.dialog.getByRole('checkbox', { name: 'Cancel and retry' })).not.toBeChecked()
      await rig.dialog.getByRole('button', { name: 'Allow' }).click()
      await expect(rig.page.getByText('Phone of Ada is let in.')).toBeVisible()
      await expect(phone.getByRole('heading', { name: 'Overview', level: 1 })).toBeVisible()
      await expect(rig.section('Pair a device').getByRole('list', { name: 'Devices that asked' })).toContainText('Let in')
    })

    test('is offered nothing that it may not do', async () => {
      await expect(phone.getByRole('navigation', { name: 'Main' }).getByRole('link')).toHaveText(['Overview', 'Intents', 'Publish', 'Workers'])
      await expect(phone.getByRole('button', { name: 'Pause' })).toHaveCount(0)
      for (const place of ['keys', 'lan', 'settings', 'activity']) {
        await phone.goto(`${rig.lanUrl}/admin/#/${place}`)
        await expect(phone.getByText('This device may not do that')).toBeVisible()
      }
    })

    test('runs a template with a thumb and sees what failed, but cannot retry without the right', async () => {
      rig.shared.call('templates.save', { name: 'Print the label', goal: 'print', payload: '{"n":1}', maxAttempts: 1 })
      await phone.getByRole('link', { name: 'Publish' }).click()
      const run = phone.getByRole('button', { name: 'Run Print the label' })
      const box = (await run.boundingBox())!
      expect([box.height >= 44, box.y < 400]).toEqual([true, true])
      await run.tap()
      await expect(phone.getByRole('link', { name: /Last run:/ })).toContainText('Open')
      const { id } = rig.shared.call('intents.list', { filter: 'goal:print' }).rows[0]!
      rig.shared.call('intents.cancel', { id })
      await phone.goto(`${rig.lanUrl}/admin/#/intents/${id}`)
      await expect(phone.getByText('Died because')).toBeVisible()
      await expect(phone.getByRole('button', { name: 'Retry' })).toHaveCount(0)
      expect(await overflow(phone)).toBe(0)
      expect(await seriousFindings(phone)).toEqual([])
    })

    test('is in the list of browsers, and out when it is ended there', async () => {
      await rig.goTo('#/settings')
      const entry = rig.section('Browsers').getByRole('listitem').filter({ hasText: 'Phone of Ada' })
      await expect(entry).toContainText('Paired')
      await expect(entry).toContainText('Watches and publishes.')
      await entry.getByRole('button', { name: 'Log out Phone of Ada' }).click()
      await rig.dialog.getByRole('button', { name: 'Log it out' }).click()
      await expect(entry).toHaveCount(0)
      await expect(phone.getByLabel('Password')).toBeVisible({ timeout: 20_000 })
    })

    test('with the right to act it retries with a thumb', async () => {
      await rig.goTo('#/lan')
      const { code } = await rig.showCode()
      await phone.getByRole('button', { name: 'Use a pairing code' }).tap()
      await phone.getByLabel('Code', { exact: true }).fill(code.toLowerCase().replace('-', ' '))
      await phone.getByRole('button', { name: 'Ask for access' }).tap()
      await rig.readQuestion('asks for this interface')
      await rig.dialog.getByRole('checkbox', { name: 'Cancel and retry' }).check()
      await rig.dialog.getByRole('button', { name: 'Allow' }).click()
      const retry = phone.getByRole('button', { name: 'Retry' })
      await expect(retry).toBeVisible()
      const box = (await retry.boundingBox())!
      expect([box.height >= 44, box.y > 600]).toEqual([true, true])
      await retry.tap()
      await expect(phone.getByRole('button', { name: 'Cancel' })).toBeVisible()
    })
  })

  describe('another machine', () => {
    const asking: ChildProcess[] = []
    afterAll(() => asking.forEach((child) => child.kill()))

    /** Runs the line that the screen shows; resolves to what it printed. */
    function pairBy(curl: string): { readonly answer: Promise<string> } {
      const child = rig.machine.spawn('sh', ['-c', `hostname() { echo pi5; }; ${curl}`], { stdio: ['ignore', 'pipe', 'inherit'] })
      asking.push(child)
      let text = ''
      child.stdout!.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
      return { answer: once(child, 'close').then(() => text) }
    }

    test('pairs by the curl line, and gets a key with the limits that were chosen', async () => {
      const { curl } = await rig.showCode()
      await rig.section('Pair a device').getByRole('tab', { name: 'curl' }).click()
      await expect(rig.section('Pair a device').getByLabel('line for the other machine').last()).toHaveText(curl)
      const { answer } = pairBy(curl)
      await rig.readQuestion('pi5 asks for a key')
      await expect(rig.dialog.getByRole('radio', { name: 'Worker' })).toBeChecked()
      await expect(rig.dialog).not.toContainText('Publish intents.')
      await rig.page.setViewportSize({ width: 390, height: 844 })
      expect(await sticksOut(rig.page)).toBe(false)
      await rig.page.setViewportSize({ width: 1280, height: 900 })
      await rig.dialog.getByRole('radio', { name: 'Both' }).check()
      await expect(rig.dialog).toContainText('Publish intents.')
      await rig.dialog.getByRole('radio', { name: 'Choose…' }).check()
      expect(await seriousFindings(rig.page)).toEqual([])
      await rig.dialog.getByRole('checkbox', { name: 'Publish' }).uncheck()
      await rig.dialog.getByText('Only some namespaces or goals').click()
      await rig.dialog.getByLabel('Only these goals').fill('resize.*')
      await expect(rig.dialog).toContainText('Claim and settle intents with the goal resize.*')
      await expect(rig.dialog).not.toContainText('Publish intents.')
      await rig.dialog.getByRole('button', { name: 'Allow' }).click()
      expect(JSON.parse(await answer)).toMatchObject({ status: 'allowed', name: 'pi5' })
      await rig.goTo('#/keys')
      await expect(rig.page.getByRole('row').filter({ hasText: 'pi5' })).toContainText('claim, read; goals resize.*')
    })

    test('several are asked about one after the other', async () => {
      await rig.goTo('#/lan')
      const first = pairBy((await rig.showCode()).curl)
      await rig.readQuestion('pi5 asks for a key')
      const second = pairBy(rig.shared.call('pairing.start', {}).code!.curl.replace('$(hostname)', 'pi6'))
      await expect(rig.dialog).toContainText('1 more waits behind it')
      await rig.dialog.getByRole('button', { name: 'Refuse' }).click()
      await rig.readQuestion('pi6 asks for a key')
      await rig.dialog.getByRole('button', { name: 'Refuse' }).click()
      await expect(rig.dialog).toHaveCount(0)
      for (const { answer } of [first, second]) expect(await answer).toContain('pairing_refused')
    })
  })

  // Provoked: refusals of codes, and the end of a session.
  test('no error, and nothing that the policy forbids', () => {
    expect([...rig.desk.trouble(), ...rig.pocket.trouble(/status of 40[13]/)]).toEqual([])
  })
})

/** Whether something in the dialog is wider than it: then one has to scroll sideways in it. */
function sticksOut(page: Page): Promise<boolean> {
  return page.evaluate<boolean>(`(() => {
    const dialog = document.querySelector('dialog[open]')
    const { right } = dialog.getBoundingClientRect()
    return [...dialog.querySelectorAll('*')].some((part) => part.getBoundingClientRect().right > right)
  })()`)
}

/** What a camera reads off the QR code on a page; `camera`: a page without a policy, to decode the picture. */
async function scanned(page: Page, camera: Page): Promise<string | undefined> {
  const png = await page.getByRole('img', { name: /QR code/ }).screenshot()
  const { data, width, height } = await camera.evaluate<{ data: number[]; width: number; height: number }>(
    `(async () => {
      const image = await createImageBitmap(await (await fetch('data:image/png;base64,${png.toString('base64')}')).blob())
      const context = new OffscreenCanvas(image.width, image.height).getContext('2d')
      context.drawImage(image, 0, 0)
      return { data: [...context.getImageData(0, 0, image.width, image.height).data], width: image.width, height: image.height }
    })()`
  )
  return jsQR.default(Uint8ClampedArray.from(data), width, height)?.data
}
