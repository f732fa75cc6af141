import { copyFileSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Page } from 'playwright'
import { expect } from 'playwright/test'
import { afterAll, beforeAll, describe, test } from 'vitest'
import { clientPackage } from '../examples/starter.ts'
import { temporaryFolder } from '../support/folders.ts'
import { HomeNetwork } from '../support/home-network.ts'
import { HomeRig } from './home-rig.ts'
import { login, overflow, seriousFindings, VIEWS } from './interface.ts'

/** Sharing, as the operator at the machine of the bus sees it, and other machines. */

const trouble = HomeNetwork.trouble()

describe.skipIf(trouble !== undefined)(`a bus in a home network${trouble === undefined ? '' : ` (${trouble})`}`, () => {
  let rig: HomeRig

  beforeAll(async () => {
    rig = await HomeRig.start()
  }, 60_000)
  afterAll(() => rig?.[Symbol.asyncDispose]())

  test('keys that are damaged are said to be, and replaced by who has the password', async () => {
    writeFileSync(rig.shared.file('sharing.keys'), 'nonsense')
    await rig.page.getByRole('button', { name: 'Share on this network' }).click()
    await expect(rig.section('Sharing').getByRole('status').first()).toHaveText('Not shared')
    await expect(rig.page.getByText('The key of this bus is damaged').nth(1)).toBeVisible()
    await rig.section('Sharing').getByRole('button', { name: 'Replace root and key…' }).click()
    await rig.dialog.getByLabel('Password').fill(rig.shared.bus.password)
    await rig.dialog.getByRole('button', { name: 'Replace' }).click()
    await expect(rig.section('Sharing').getByRole('status').first()).toHaveText('Shared')
    await rig.section('Sharing').getByRole('button', { name: 'Stop sharing' }).click()
    await rig.dialog.getByRole('button', { name: 'Stop sharing' }).click()
  })

  test('before it is shared, it says what that means, and shares with one press', async () => {
    await expect(rig.section('Only this machine reaches the bus')).toContainText('sudo ufw allow 7611/tcp')
    await expect(rig.page.getByRole('radio', { name: /Automatic/ })).toBeChecked()
    await rig.page.getByRole('radio', { name: /^eth0/ }).check()
    await rig.page.getByRole('button', { name: 'Share on this network' }).click()
    await expect(rig.page.getByText('The bus is shared from now on.')).toBeVisible()
    await expect(rig.section('Sharing').getByRole('status').first()).toHaveText('Shared')
    await expect(rig.section('Sharing')).toContainText(`https://${rig.shared.host.address}:7611`)
    await expect(rig.section('Does it work from another device?')).toContainText('Waiting for the first request from another device')
    expect(rig.shared.call('settings.get', {}).values).toMatchObject({ share: true, shareInterface: 'eth0' })
  })

  test('silence is explained, the likeliest cause first', async () => {
    const check = rig.section('Does it work from another device?')
    await expect(check).toContainText('What the bus finds here', { timeout: 25_000 })
    await expect(check.getByRole('listitem').filter({ hasText: 'Certificate.' })).toContainText('Fine:')
    await expect(check.getByRole('list').last().getByRole('listitem').first()).toContainText(`in the network of ${rig.shared.host.address}`)
  })

  test('whoever comes and does not get through is named, with what to do; then it turns green with who did', async () => {
    const check = rig.section('Does it work from another device?')
    rig.machine.attempt('curl', '-s', `${rig.lanUrl}/health`)
    await expect(check).toContainText('Somebody came, but it did not work.')
    await expect(check).toContainText(rig.machine.address)
    rig.machine.run('curl', '-s', '-k', `${rig.lanUrl}/health`)
    await expect(check).toContainText(/It works: 10\.77\.0\.3 \(curl\/[\d.]+\) reached the bus\./)
    const { id, secret } = rig.shared.call('keys.create', { owner: 'nas' })
    rig.machine.run('curl', '-s', '-k', '-A', 'worker.sh, curl/8', '-H', `X-API-KEY: ${secret}`, '-X', 'POST', `${rig.lanUrl}/claim`)
    await expect(check).toContainText('It works: nas (worker.sh, curl/8) reached the bus.')
    rig.shared.call('keys.revoke', { id })
    await expect(check).toContainText(`with the key of ${id} (revoked)`)
    await expect(check).toContainText('It works: nas')
  })

  test('one program that fails says nothing against another on the same machine, and is told with its own count', async () => {
    const check = rig.section('Does it work from another device?')
    rig.machine.run('curl', '-s', '-k', '-A', 'fine/1', `${rig.lanUrl}/health`)
    for (let i = 0; i < 2; i++) rig.machine.run('curl', '-s', '-k', '-A', 'odd/1', '-H', 'X-API-KEY: wrong', '-X', 'POST', `${rig.lanUrl}/claim`)
    await expect(check).toContainText(/Something from there did not work: .*, 2 times/)
    await expect(check).toContainText('Sent an API key that does not count.')
    await expect(check).toContainText(/It works: 10\.77\.0\.3 \(fine\/1\) reached the bus\./)
  })

  test('who came by another port is not counted', async () => {
    const check = rig.section('Does it work from another device?')
    rig.shared.call('settings.change', { sharePort: 7612 })
    await expect(check).toContainText('Waiting for the first request from another device')
    await expect(check).not.toContainText('It works')
    await expect(check).toContainText('1 device came before the bus was shared as it is now')
    rig.machine.run('curl', '-s', '-k', `${rig.lanUrl}/health`)
    await expect(check).toContainText('It works: 10.77.0.3')
    rig.shared.call('settings.change', { sharePort: 7611 })
    await expect(check).toContainText('Waiting for the first request from another device')
  })

  describe('a page on another machine', () => {
    let other: Page
    beforeAll(async () => {
      other = await rig.pocket.open(`${rig.lanUrl}/admin/#/publish`)
      await login(other, rig.shared.bus.password)
    })
    afterAll(() => other?.context().close())

    test('shows as code what works there, once a key is in it', async () => {
      const { secret } = rig.shared.call('keys.create', { owner: 'laptop' })
      await other.getByLabel('Goal').fill('from.afar')
      const code = (await other.getByLabel('code that publishes this').last().textContent())!
      expect(code).toContain(rig.lanUrl)
      const { id } = JSON.parse(rig.phoneHost.run('sh', '-c', code.replace('paste a key here', secret))) as { id: string }
      expect(rig.shared.call('intents.detail', { id })).toMatchObject({ goal: 'from.afar' })
      using folder = temporaryFolder()
      const there = (...command: readonly string[]): string => rig.phoneHost.run('env', '-C', folder.path, ...command)
      await other.getByRole('tab', { name: 'Needed first' }).click()
      const fetching = (await other.getByLabel('code that publishes this').last().textContent())!.split('\n')[0]!
      there('sh', '-c', fetching)
      await other.getByRole('tab', { name: 'Python' }).click()
      const python = (await other.getByLabel('code that publishes this').last().textContent())!
      expect(there('python3', '-c', python.replace('paste a key here', secret))).toMatch(/[0-9a-f]{32}/)
      mkdirSync(join(folder.path, 'node_modules'))
      symlinkSync(clientPackage(), join(folder.path, 'node_modules', 'intent-bus-client'))
      await other.getByRole('tab', { name: 'TypeScript' }).click()
      const typescript = (await other.getByLabel('code that publishes this').last().textContent())!
      writeFileSync(join(folder.path, 'publish.mts'), typescript.replace('paste a key here', secret))
      expect(there(process.execPath, 'publish.mts')).toMatch(/[0-9a-f]{32}/)
    })

    test('has workers that ask there, and know the bus by its pin', async () => {
      await other.goto(`${rig.lanUrl}/admin/#/workers`)
      await other.getByRole('button', { name: 'Start a worker', exact: true }).click()
      const worker = other.getByLabel('worker', { exact: true }).last()
      await expect(worker).toContainText(`BUS_URL=${rig.lanUrl}`)
      await expect(worker).toContainText(rig.shared.view.identity!.pin)
    })
  })

  test('the lines of a new key are for the bus’s machine, or for another one', async () => {
    const page = await rig.openDesk('#/keys')
    await page.getByRole('button', { name: 'New key' }).click()
    await page.getByRole('dialog').getByLabel('Owner').fill('attic')
    await page.getByRole('button', { name: 'Create key' }).click()
    const lines = page.getByRole('dialog').getByLabel('lines for this key').last()
    await expect(lines).toContainText(`URL=${rig.shared.bus.url}`)
    await page.getByRole('dialog').getByText('Another machine').click()
    await expect(lines).toContainText(`URL=${rig.lanUrl}`)
    expect(JSON.parse(rig.machine.run('sh', '-c', (await lines.textContent())!))).toMatchObject({ id: expect.stringMatching(/^[0-9a-f]{32}$/) })
    await expect(page.getByRole('dialog').getByLabel('worker', { exact: true }).last()).toContainText(rig.shared.view.identity!.pin)
    await page.context().close()
  })

  describe('lines for other machines', () => {
    let key: string
    beforeAll(() => {
      key = rig.shared.call('keys.create', { owner: 'bench' }).secret
    })

    async function line(tab: string): Promise<string> {
      const part = rig.section('From another machine')
      await part.getByRole('tab', { name: tab, exact: true }).first().click()
      const code = (await part.getByLabel('lines for another machine').last().textContent())!
      return code.replace('paste a key here', key)
    }

    test('work as they stand, once a key is in them', async () => {
      using folder = temporaryFolder()
      copyFileSync(rig.shared.file('intent-bus-root.pem'), join(folder.path, 'intent-bus-root.pem'))
      const run = (program: string, code: string) => rig.machine.run('env', '-C', folder.path, program, '-c', code)
      expect(JSON.parse(run('sh', await line('curl, pin')))).toMatchObject({ id: expect.stringMatching(/^[0-9a-f]{32}$/) })
      expect(JSON.parse(run('sh', await line('curl, root')))).toMatchObject({ id: expect.stringMatching(/^[0-9a-f]{32}$/) })
      // It holds the root itself.
      const { id } = JSON.parse(rig.machine.run('python3', '-c', await line('Python'))) as { id: string }
      mkdirSync(join(folder.path, 'node_modules'))
      symlinkSync(clientPackage(), join(folder.path, 'node_modules', 'intent-bus-client'))
      writeFileSync(join(folder.path, 'publish.mts'), await line('TypeScript'))
      expect(rig.machine.run('env', '-C', folder.path, process.execPath, 'publish.mts')).toMatch(/[0-9a-f]{32}/)
      for (let i = 0; i < 4; i++) run('bash', await line('bash worker'))
      expect(rig.shared.call('intents.detail', { id })).toMatchObject({ status: 'fulfilled', result: '{"said":"Hello"}' })
    })

    test('with another pin send nothing', async () => {
      const wrong = (await line('curl, pin')).replace(/PIN=.*/, "PIN='sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA='")
      expect(rig.machine.attempt('sh', '-c', wrong).code).toBe(90)
    })
  })

  test('plain HTTP is explained before it is allowed, and is never for operators', async () => {
    await rig.page.getByRole('switch', { name: 'Also without TLS' }).click()
    await expect(rig.dialog.getByRole('button', { name: 'Allow plain HTTP' })).toBeDisabled()
    expect(rig.shared.view.plainUrls).toEqual([])
    await rig.dialog.getByRole('checkbox', { name: 'I trust everybody on this network' }).check()
    await rig.dialog.getByRole('button', { name: 'Allow plain HTTP' }).click()
    await expect(rig.section('Sharing')).toContainText(`http://${rig.shared.host.address}:`)
    const [plain] = rig.shared.view.plainUrls
    expect(rig.machine.run('curl', '-s', `${plain}/health`)).toContain('ok')
    expect(rig.machine.run('curl', '-s', `${plain}/admin/`)).toContain('https_required')
    await rig.page.getByRole('switch', { name: 'Also without TLS' }).click()
    await expect(rig.section('Sharing')).not.toContainText('Without TLS')
  })

  test('the name of the bus is changed, and announced under it', async () => {
    await rig.page.getByLabel('Name of this bus').fill('cellar')
    await rig.page.getByRole('button', { name: 'Rename' }).click()
    await expect(rig.section('How others see it')).toContainText('Announced as “cellar”.', { timeout: 15_000 })
  })

  test('a new identity is asked for with the password, and cuts off who knows the old pin', async () => {
    await rig.goTo('#/lan')
    const { pin } = rig.shared.view.identity!
    await expect(rig.section('Certificate')).toContainText(pin)
    await expect(rig.section('Certificate')).toContainText(rig.shared.view.identity!.certificateFingerprint!)
    await rig.section('Certificate').getByRole('button', { name: 'Replace…' }).click()
    await rig.dialog.getByLabel('Password').fill(rig.shared.bus.password)
    await rig.dialog.getByRole('button', { name: 'Replace' }).click()
    await expect(rig.dialog).toHaveCount(0)
    await expect(rig.section('Certificate')).not.toContainText(pin)
    expect(rig.machine.attempt('curl', '-s', '-k', '--pinnedpubkey', pin, `${rig.lanUrl}/health`).code).toBe(90)
    const now = rig.shared.view.identity!.pin
    expect(rig.machine.run('curl', '-s', '-k', '--pinnedpubkey', now, `${rig.lanUrl}/health`)).toContain('ok')
  })

  test.each(VIEWS)('$name: nothing sticks out, and axe finds nothing serious', async (view) => {
    const other = await rig.openDesk('#/lan', view)
    await expect(other.getByRole('region', { name: 'Certificate' })).toBeVisible()
    await other.getByRole('region', { name: 'Pair a device' }).getByRole('button', { name: 'Pair a device' }).click()
    await expect(other.getByRole('img', { name: /QR code/ })).toBeVisible()
    expect(await overflow(other)).toBe(0)
    expect(await seriousFindings(other)).toEqual([])
    await other.getByRole('region', { name: 'Pair a device' }).getByRole('button', { name: 'Done' }).click()
    await other.getByRole('switch', { name: 'Also without TLS' }).click()
    expect(await seriousFindings(other)).toEqual([])
    await other.context().close()
  })

  test('it can be installed: manifest and icons are there, and the policy lets them in', async () => {
    const manifest = await rig.page.evaluate<{ readonly icons: readonly { readonly src: string }[]; readonly base: string; readonly start: string }>(
      `(async () => {
        const { href } = document.querySelector('link[rel=manifest]')
        const answer = await fetch(href)
        const { icons, start_url } = await answer.json()
        return { icons, base: answer.url, start: new URL(start_url, answer.url).href }
      })()`
    )
    expect(manifest.start).toBe(`${rig.shared.bus.url}/admin/`)
    expect(manifest.icons.length).toBeGreaterThan(2)
    const sizes = await rig.page.evaluate<number[]>(
      `Promise.all(${JSON.stringify(manifest.icons.map(({ src }) => new URL(src, manifest.base).href))}.map(async (url) =>
        (await createImageBitmap(await (await fetch(url)).blob())).width))`
    )
    expect(sizes).toEqual([192, 512, 512])
  })

  test('stopped, the port is closed for others', async () => {
    const url = rig.lanUrl
    await rig.goTo('#/lan')
    await rig.section('Sharing').getByRole('button', { name: 'Stop sharing' }).click()
    await expect(rig.dialog).toContainText('Other machines are cut off at once')
    await rig.dialog.getByRole('button', { name: 'Stop sharing' }).click()
    await expect(rig.section('Only this machine reaches the bus')).toBeVisible()
    expect(rig.machine.attempt('curl', '-s', '-k', '-m', '3', `${url}/health`).code).toBe(7)
  })

  // Provoked: a listener that is closed.
  test('no error, and nothing that the policy forbids', () => {
    expect(rig.desk.trouble(/ERR_/)).toEqual([])
  })
})
