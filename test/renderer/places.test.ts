import { afterEach, describe, expect, test, vi } from 'vitest'
import { setupLines } from '../../src/renderer/lib/text/commands.ts'
import { herePlace, mainKeyAt, ownPlace, sharedPlace } from '../../src/renderer/lib/text/places.ts'
import type { BusStatus } from '../../src/shared/control/status-views.ts'

const OWN = 'http://127.0.0.1:7610'
const BEST = 'https://192.168.1.20:7611'
const PIN = 'sha256//q8yDKMvQ4k1u0G7cM4mQm2mP2o6Y5mYt7xR1fT0w5hA='
const MAIN_KEY = { in: 'file', where: '/data/main.key' } as const

const shared = {
  listener: { state: 'listening', url: OWN, host: '127.0.0.1', port: 7610 },
  sharing: { state: 'listening', url: BEST, pin: PIN },
  mainKey: MAIN_KEY
} as BusStatus

afterEach(() => void vi.unstubAllGlobals())

function seenAt(origin: string): void {
  vi.stubGlobal('location', { origin })
}

describe('a page on the bus’s own machine', () => {
  test('has lines for there, which read the main key where it lies', () => {
    seenAt(OWN)
    expect(herePlace(shared)).toEqual({ url: OWN, pin: null })
    expect(ownPlace(shared)).toEqual({ url: OWN, pin: null })
    expect(sharedPlace(shared)).toEqual({ url: BEST, pin: PIN })
    expect(mainKeyAt(herePlace(shared), shared)).toEqual(MAIN_KEY)
    expect(setupLines(shared)).toContain('/data/main.key')
  })

  test('has none for others while the bus is not shared', () => {
    seenAt(OWN)
    expect(sharedPlace({ ...shared, sharing: { state: 'off', url: null, pin: PIN } })).toBeNull()
  })
})

describe('a page that came over the shared port', () => {
  test.each(['https://192.168.1.20:7611', 'https://[fd00::20]:7611', 'https://nas.local:7611'])('as %s has lines for other machines', (origin) => {
    seenAt(origin)
    expect(herePlace(shared)).toEqual({ url: origin, pin: PIN })
    expect(sharedPlace(shared)).toEqual({ url: origin, pin: PIN })
    expect(ownPlace(shared)).toEqual({ url: OWN, pin: null })
    const lines = setupLines(shared)
    expect(lines).toContain(`--pinnedpubkey "$PIN"`)
    expect(lines).toContain('paste the main key here')
    expect(lines).not.toContain('127.0.0.1')
  })
})

test('a page behind a proxy of the user’s has lines by which he sees it, and no pin', () => {
  seenAt('https://bus.example.org')
  expect(herePlace(shared)).toEqual({ url: 'https://bus.example.org', pin: null })
})
