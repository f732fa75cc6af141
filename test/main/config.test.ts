import { symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { readConfig } from '../../src/main/config.ts'
import { temporaryFolder } from '../support/folders.ts'

test('without any variable the bus listens on loopback and keeps its data in the app’s folder', () => {
  expect(readConfig({ XDG_CONFIG_HOME: '/home/u/.config' }, 'linux')).toEqual({
    dataDir: '/home/u/.config/intent-bus-desktop',
    databasePath: '/home/u/.config/intent-bus-desktop/infrastructure.db',
    host: '127.0.0.1',
    port: 7610,
    logLevel: 'info',
    secret: undefined,
    adminSecret: undefined,
    dashboardPassword: undefined,
    metricsToken: undefined,
    trustProxy: false,
    enforceHttps: false,
    requireSignatures: false,
    maintenanceMode: false,
    allowTokenlessWorkers: false,
    cleanupInterval: 21_600,
    claimTimeout: 60,
    allowedHosts: [],
    allowedOrigins: new Set(),
    sharing: { share: false, sharePort: 7611, shareInterface: '', sharePlain: false, shareDiscovery: true, busName: '' },
    fixedSettings: {}
  })
})

test.each([
  [{ BUS_TRUST_PROXY: 'True' }, { trustProxy: true }],
  [{ BUS_ENFORCE_HTTPS: '1' }, { enforceHttps: true }],
  [{ BUS_REQUIRE_SIGNATURES: 'yes' }, { requireSignatures: true }],
  [{ BUS_MAINTENANCE_MODE: 'on' }, { maintenanceMode: true }],
  [{ BUS_ALLOW_TOKENLESS_WORKERS: 'true' }, { allowTokenlessWorkers: true }],
  [{ BUS_MAINTENANCE_MODE: '' }, { maintenanceMode: false }],
  [{ BUS_CLEANUP_INTERVAL_SECONDS: '300' }, { cleanupInterval: 300 }],
  [{ BUS_CLAIM_TIMEOUT_SECONDS: '5' }, { claimTimeout: 5 }],
  [{ BUS_HOST: '::' }, { host: '::' }],
  [{ BUS_PORT: '0' }, { port: 0, fixedSettings: { port: 'BUS_PORT' } }],
  [{ BUS_PORT: '' }, { port: 7610, fixedSettings: {} }],
  [{ BUS_LOG_LEVEL: 'DEBUG' }, { logLevel: 'debug' }],
  [{ BUS_ALLOWED_HOSTS: 'bus.example, [fd00::1]' }, { allowedHosts: ['bus.example', 'fd00::1'] }],
  [{ BUS_ALLOWED_ORIGINS: 'https://a.example,http://localhost:3000' }, { allowedOrigins: new Set(['https://a.example', 'http://localhost:3000']) }],
  [{ BUS_SHARE: 'true', BUS_SHARE_PORT: '7700' }, { sharing: { share: true, sharePort: 7700 }, fixedSettings: { share: 'BUS_SHARE', sharePort: 'BUS_SHARE_PORT' } }],
  [{ BUS_SHARE_INTERFACE: 'wlan0', BUS_SHARE_PLAIN: 'yes' }, { sharing: { shareInterface: 'wlan0', sharePlain: true } }],
  [{ BUS_DISCOVERY: 'off', BUS_NAME: 'Küche' }, { sharing: { shareDiscovery: false, busName: 'Küche' }, fixedSettings: { shareDiscovery: 'BUS_DISCOVERY', busName: 'BUS_NAME' } }],
  [{ BUS_DATA_DIR: '/data', BUS_DB_PATH: 'my.db' }, { databasePath: '/data/my.db' }],
  [{ BUS_DATA_DIR: '/data', BUS_DB_PATH: '/elsewhere/my.db' }, { databasePath: '/elsewhere/my.db' }]
])('%j means %j', (env, expected) => {
  expect(readConfig({ HOME: '/home/u', ...env }, 'linux')).toMatchObject(expected)
})

test.each([
  ['darwin', {}, /Library\/Application Support\/intent-bus-desktop$/],
  ['win32', { APPDATA: '/appdata' }, /^\/appdata\/intent-bus-desktop$/],
  ['linux', {}, /\.config\/intent-bus-desktop$/]
] as const)('on %s the data lie where apps keep theirs', (platform, env, pattern) => {
  expect(readConfig(env, platform).dataDir).toMatch(pattern)
})

test.each([
  [{ BUS_SECRET: ' spaces ' }, 'BUS_SECRET may only hold printable ASCII'],
  [{ BUS_SECRET: 'schlüssel' }, 'BUS_SECRET may only hold printable ASCII'],
  [{ BUS_CLAIM_TIMEOUT_SECONDS: '0' }, 'BUS_CLAIM_TIMEOUT_SECONDS must be a whole number from 1 to 86400'],
  [{ BUS_HOST: 'http://localhost' }, 'BUS_HOST must be host names or addresses without a port'],
  [{ BUS_SHARE_PORT: '65536' }, 'BUS_SHARE_PORT must be a whole number from 0 to 65535'],
  [{ BUS_SHARE: 'perhaps' }, 'BUS_SHARE must be true or false'],
  [{ BUS_NAME: 'x'.repeat(64) }, 'BUS_NAME is too long'],
  [{ BUS_ALLOWED_HOSTS: 'a b' }, 'BUS_ALLOWED_HOSTS must be host names'],
  [{ BUS_ALLOWED_ORIGINS: 'https://a.example/' }, 'BUS_ALLOWED_ORIGINS must be exact origins']
])('%j is refused', (env, sentence) => {
  expect(() => readConfig(env, 'linux')).toThrow(sentence)
})

test('a database that is a link is the file that it leads to, beside which its log lies', () => {
  using folder = temporaryFolder()
  const real = join(folder.path, 'elsewhere.db')
  writeFileSync(real, '')
  symlinkSync(real, join(folder.path, 'linked.db'))
  expect(readConfig({ BUS_DATA_DIR: folder.path, BUS_DB_PATH: 'linked.db' }, 'linux').databasePath).toBe(real)
})
