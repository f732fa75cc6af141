import { generate } from 'lean-qr'
import jsQR from 'jsqr'
import { describe, expect, it, test } from 'vitest'
import { chooseInterface } from '../../src/main/lan/interfaces.ts'
import { methods } from '../../src/shared/control/contract.ts'
import type { ArrivalView, InterfaceView, PairingRequestView, SharingView, VisitsView } from '../../src/shared/control/network-views.ts'
import { draftOf, type LimitsDraft } from '../../src/renderer/lib/limits/draft.ts'
import { browserName } from '../../src/renderer/lib/text/device.ts'
import { pinInHex, readPairingHash } from '../../src/renderer/lib/text/pairing-hash.ts'
import { qrPath, QUIET_ZONE } from '../../src/renderer/lib/ui/qr-path.ts'
import { firewallAdvice } from '../../src/renderer/screens/lan/firewall.ts'
import { allowance, rolesFor, USUAL_RIGHTS, usualLimits } from '../../src/renderer/screens/lan/grant.ts'
import { causesOfSilence, findingOf, SILENCE, visitorName } from '../../src/renderer/screens/lan/live-check.ts'
import { firstTimeLines, networkSnippets } from '../../src/renderer/screens/lan/snippets.ts'
import { interfaceChoices, isLocalName, outcomeOfSharing } from '../../src/renderer/screens/lan/words.ts'

/** As the bus lists them. */
const INTERFACES: readonly InterfaceView[] = [
  { name: 'eth0', addresses: ['192.168.1.20', 'fd00::20'], kind: 'lan', isDefault: false },
  { name: 'wlan0', addresses: ['192.168.178.5'], kind: 'lan', isDefault: false },
  { name: 'wg0', addresses: ['10.9.0.2'], kind: 'vpn', isDefault: true },
  { name: 'docker0', addresses: ['172.17.0.1'], kind: 'virtual', isDefault: false }
]

function visits(outcome: ArrivalView['outcome'], lastAt: number, known: Partial<VisitsView> = {}): VisitsView {
  return { lastAt, count: 1, outcome, text: '', next: null, name: null, agent: null, key: null, ...known }
}

/** Who came from an address, in this order. */
function arrival(address: string, ...came: readonly VisitsView[]): ArrivalView {
  const last = (isFine: boolean): VisitsView | null => came.findLast(({ outcome }) => (outcome === 'request') === isFine) ?? null
  return { ...came.at(-1)!, address, firstAt: came[0]!.lastAt, count: came.length, success: last(true), trouble: last(false) }
}

describe('interfaces to share on', () => {
  it('come with the recommended first and those without other machines last', () => {
    const choices = interfaceChoices({ interfaces: INTERFACES, automatic: 'eth0' }, '')
    expect(choices.map(({ value }) => value)).toEqual(['', 'eth0', 'wlan0', 'wg0', 'docker0'])
    expect(choices[0]).toMatchObject({ label: 'Automatic (recommended)', hint: 'The home network, now eth0 with 192.168.1.20, fd00::20.' })
    expect(choices[3]!.hint).toContain('VPN')
    expect(choices[4]!.hint).toContain('virtual')
  })

  it.each([[INTERFACES], [INTERFACES.slice(2)], [INTERFACES.slice(3)], [[]]])('name what the bus takes by itself: %#', (interfaces) => {
    const taken = chooseInterface(interfaces, '')
    expect(interfaceChoices({ interfaces, automatic: taken?.name ?? null }, '')[0]!.hint).toContain(taken === null ? 'none right now' : `now ${taken.name} with`)
  })

  it('hold one that was chosen and is not there now', () => {
    expect(interfaceChoices({ interfaces: [], automatic: null }, 'usb0')).toEqual([
      { value: '', label: 'Automatic (recommended)', hint: 'The home network, none right now.' },
      { value: 'usb0', label: 'usb0', isMono: true, hint: 'Not there now.' }
    ])
  })
})

describe('the live check', () => {
  it('waits, then says that it is silent', () => {
    const nobody = { arrivals: [], since: 0 }
    expect(findingOf(nobody, SILENCE - 1, 0).kind).toBe('waiting')
    expect(findingOf(nobody, SILENCE, 0).kind).toBe('silent')
    expect(findingOf({ arrivals: [], since: 10 }, SILENCE, 0).kind).toBe('waiting')
  })

  it('counts nobody who came before what listens now began', () => {
    const nas = arrival('192.168.1.8', visits('request', 90))
    const phone = arrival('192.168.1.9', visits('request', 80), visits('spoke_http', 120))
    expect(findingOf({ arrivals: [nas], since: 90 }, 121, 0)).toMatchObject({ kind: 'reached', before: [] })
    expect(findingOf({ arrivals: [nas], since: 100 }, 121, 0)).toEqual({ kind: 'silent', before: [nas] })
    // Of before is also the request of somebody who has trouble since.
    expect(findingOf({ arrivals: [phone, nas], since: 100 }, 121, 0)).toEqual({ kind: 'trouble', arrivals: [{ ...phone, success: null }], before: [nas] })
  })

  it('lets one program that fails say nothing against another on the same machine', () => {
    const mixed = arrival('192.168.1.8', visits('request', 100), visits('wrong_key', 130))
    expect(findingOf({ arrivals: [mixed], since: 0 }, 140, 0)).toMatchObject({ kind: 'reached', by: mixed })
    // The request is long ago.
    expect(findingOf({ arrivals: [mixed], since: 0 }, 170, 0)).toMatchObject({ kind: 'trouble', arrivals: [mixed] })
    const mended = arrival('192.168.1.8', visits('wrong_key', 100), visits('request', 110))
    expect(findingOf({ arrivals: [mended], since: 0 }, 9_000, 0)).toMatchObject({ kind: 'reached', by: mended })
  })

  it('names who got through, though somebody else did not after that', () => {
    const came = [arrival('192.168.1.9', visits('spoke_http', 3)), arrival('192.168.1.8', visits('request', 2)), arrival('192.168.1.7', visits('request', 1))]
    expect(findingOf({ arrivals: came, since: 0 }, 4, 0)).toEqual({ kind: 'reached', by: came[1], others: [came[0]], before: [] })
  })

  it.each<[Partial<VisitsView>, string]>([
    [{}, '192.168.1.9'],
    [{ name: 'nas', agent: 'worker.sh, curl/8.5.0' }, 'nas (worker.sh, curl/8.5.0)'],
    [{ agent: 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0' }, '192.168.1.9 (Firefox on Linux)'],
    [{ name: 'Firefox on Linux', agent: 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0' }, 'Firefox on Linux']
  ])('calls who came by name and program: %j', (known, name) => {
    expect(visitorName(arrival('192.168.1.9', visits('request', 1, known), visits('wrong_key', 2, { name: 'another' })))).toBe(name)
  })

  it('tells of trouble where nobody got through', () => {
    const came = [arrival('192.168.1.9', visits('distrusts_certificate', 1))]
    expect(findingOf({ arrivals: came, since: 0 }, SILENCE, 0)).toEqual({ kind: 'trouble', arrivals: came, before: [] })
  })

  it('looks for silence in the network first, then in the firewall of the platform, then in the Wi-Fi', () => {
    const view = { interface: 'eth0', interfaces: INTERFACES, port: 7611, platform: 'linux' } as SharingView
    const causes = causesOfSilence(view)
    expect(causes.map(({ title }) => title)).toEqual(['Another network', 'The firewall of the bus’s machine', 'The Wi-Fi keeps devices apart'])
    expect(causes[0]!.text).toContain('192.168.1.20')
    expect(causes[0]!.text).toContain('wlan0 (192.168.178.5)')
    expect(causes[0]!.text).not.toContain('docker0')
    expect(causes[1]!.firewall.map(({ system }) => system)).toEqual(['Linux'])
  })

  it('speaks of all firewalls where the bus’s machine has none of these systems', () => {
    expect(firewallAdvice('other', 7611).map(({ system }) => system)).toEqual(['Linux', 'macOS', 'Windows'])
    expect(firewallAdvice('macos', 7611).map(({ system }) => system)).toEqual(['macOS'])
  })

  it('has lines that open both ports, and make them count', () => {
    const codes = firewallAdvice('linux', 7612)[0]!.commands.map(({ code }) => code)
    for (const code of codes) for (const port of ['7612/tcp', '5353/udp']) expect(code).toContain(port)
    expect(codes.at(-1)).toMatch(/&& sudo firewall-cmd --reload$/)
  })
})

describe('what came of sharing', () => {
  test.each<[SharingView['state'], string | null, RegExp]>([
    ['listening', null, /^The bus is shared/],
    ['waiting', 'This machine is in no network.', /waits for a network/],
    ['failed', 'The key of this bus is damaged.', /^The key of this bus is damaged\.$/]
  ])('%s', (state, problem, words) => {
    expect(outcomeOfSharing({ state, problem } as SharingView)).toMatch(words)
  })
})

test('a name of the network is told from an address and from a name of a server of names', () => {
  expect(['https://pi-bus.local:7611', 'https://192.168.1.20:7611', 'https://[fd00::20]:7611', 'https://bus.home.arpa:7611'].map(isLocalName)).toEqual([true, false, false, false])
})

describe('letting a device in', () => {
  const request: PairingRequestView = { id: 'r1', kind: 'browser', name: 'phone', address: '10.0.0.2', agent: null, askedAt: 0, expiresAt: 100, state: 'waiting' }
  const choice = { name: 'my phone', limits: { ...draftOf(), goals: 'resize.*' }, rights: { watch: true, publish: false, act: true } }

  it('gives a browser the rights that were ticked, and nothing of a key', () => {
    expect(allowance(request, choice, 0)).toEqual({ id: 'r1', allow: true, name: 'my phone', rights: ['watch', 'act'] })
  })

  it('gives a browser at least the right to watch', () => {
    expect(allowance(request, { ...choice, rights: { watch: false, publish: false, act: false } }, 0)).toMatchObject({ rights: ['watch'] })
  })

  it('gives a browser nothing that undoes what others did, unless it is ticked', () => {
    expect(allowance(request, { ...choice, rights: USUAL_RIGHTS }, 0)).toMatchObject({ rights: ['watch', 'publish'] })
  })

  it('gives a machine what a worker needs, unless more is chosen', () => {
    const rolesOf = (limits: LimitsDraft) => methods['pairing.decide'].parse(allowance({ ...request, kind: 'worker' }, { ...choice, limits }, 0))
    const usual = usualLimits()
    expect(rolesOf(usual)).toMatchObject({ limits: { scope: { roles: ['claim', 'read'], goals: null } } })
    expect(rolesOf({ ...usual, roles: rolesFor('publisher', usual.roles) })).toMatchObject({ limits: { scope: { roles: ['publish', 'read'] } } })
    expect(rolesOf({ ...usual, roles: rolesFor('both', usual.roles) })).toMatchObject({ limits: { scope: null } })
    expect(rolesFor('chosen', usual.roles)).toEqual(usual.roles)
  })

  it('gives a machine the limits of the form, as the contract takes them', () => {
    const given = allowance({ ...request, kind: 'worker' }, choice, 0)
    expect(methods['pairing.decide'].parse(given)).toMatchObject({ limits: { scope: { roles: null, namespaces: null, goals: ['resize.*'] } } })
  })
})

describe('the link of a pairing code', () => {
  const pin = 'sha256//q8yDKMvQ4k1u0G7cM4mQm2mP2o6Y5mYt7xR1fT0w5hA='

  it('says code and pin, and is no place of the interface', () => {
    expect(readPairingHash(`#pair=K7QF-92MX&pin=${encodeURIComponent(pin)}`)).toEqual({ code: 'K7QF-92MX', pin, root: null })
    expect(readPairingHash('#pair=K7QF-92MX')).toEqual({ code: 'K7QF-92MX', pin: null, root: null })
    expect(readPairingHash('#/intents?filter=pair')).toBeNull()
  })

  it('says the digest of the root as systems show it, and nothing where it is none', () => {
    const digest = Buffer.from(Array.from({ length: 32 }, (_, i) => 255 - i))
    const shown = digest.toString('hex').toUpperCase().replace(/..(?=.)/g, '$&:')
    expect(readPairingHash(`#pair=K7QF-92MX&root=${digest.toString('base64url')}`)!.root).toBe(shown)
    expect(readPairingHash('#pair=K7QF-92MX&root=<b>trust me</b>')!.root).toBeNull()
  })

  it('has the pin as browsers show the key, and nothing where it is none', () => {
    expect(pinInHex(pin)).toBe(Buffer.from(pin.slice('sha256//'.length), 'base64').toString('hex'))
    expect(pinInHex('<b>trust me</b>')).toBeNull()
  })
})

describe('lines for other machines', () => {
  it('bring the program by the pin, then pair', () => {
    const lines = firstTimeLines('https://[fd00::20]:7611', 'sha256//abc=', 'intent-bus pair …').split('\n')
    expect(lines[0]).toBe("curl -sS -k --pinnedpubkey sha256//abc= -O 'https://[fd00::20]:7611/intent-bus-client.tgz'")
    expect(lines[1]).toBe('npm install --global ./intent-bus-client.tgz')
    expect(lines[2]).toBe('intent-bus pair …')
  })

  it('hold the address, and the pin or the root', () => {
    const rootPem = '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n'
    const snippets = networkSnippets('https://[fd00::20]:7611', { pin: 'sha256//abc=', rootPem })
    for (const { code } of snippets) expect(code).toContain('https://[fd00::20]:7611')
    for (const { id, code } of snippets) expect(code.includes('intent-bus-root.pem')).toBe(id === 'curl-root')
    expect(snippets[1]!.code).toContain("curl -sS -k --pinnedpubkey sha256//abc= -O 'https://[fd00::20]:7611/intent-bus-root.pem'\n")
    expect(snippets.filter(({ code }) => code.includes('sha256//abc=')).map(({ id }) => id)).toEqual(['curl-pin', 'curl-root', 'typescript', 'bash'])
    expect(snippets.find(({ id }) => id === 'python')!.code).toContain(rootPem)
  })
})

test('the path of a QR code is the code', () => {
  const text = `https://192.168.1.20:7611/admin/#pair=K7QF-92MX&pin=${encodeURIComponent('sha256//q8yDKMvQ4k1u0G7cM4mQm2mP2o6Y5mYt7xR1fT0w5hA=')}&root=${'Ab_-'.repeat(10)}Abc`
  const code = generate(text)
  const scale = 3
  const size = (code.size + 2 * QUIET_ZONE) * scale
  const pixels = new Uint8ClampedArray(size * size * 4).fill(255)
  for (const [, x, y, width] of qrPath(code).matchAll(/M(\d+) (\d+)h(\d+)v1h-\d+z/g)) {
    const left = (Number(x) + QUIET_ZONE) * scale
    const top = (Number(y) + QUIET_ZONE) * scale
    for (let row = top; row < top + scale; row++) {
      for (let column = left; column < left + Number(width) * scale; column++) pixels.fill(0, (row * size + column) * 4, (row * size + column) * 4 + 3)
    }
  }
  expect(jsQR.default(pixels, size, size)?.data).toBe(text)
})

test.each([
  ['Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Mobile Safari/537.36', 'Chrome on Android'],
  ['Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1', 'Safari on iPhone'],
  ['Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36 Edg/140.0', 'Edge on Windows'],
  ['Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0', 'Firefox on Linux'],
  ['curl/8.5.0', 'curl/8.5.0'],
  ['intent-bus/0.1.0 (Linux)', 'intent-bus/0.1.0 (Linux)']
])('%s is called %s', (agent, name) => {
  expect(browserName(agent)).toBe(name)
})
