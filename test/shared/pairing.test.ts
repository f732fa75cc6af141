import { pbkdf2Sync, createHmac } from 'node:crypto'
import { expect, test } from 'vitest'
import { readCode, readDeviceName, shownCode } from '../../src/shared/pairing.ts'
import { busProof, deviceProof, isBusProof, isDeviceProof, proofKey } from '../../src/shared/pairing-proof.ts'

test.each([
  ['K7QF92MX', 'K7QF92MX'],
  ['k7qf-92mx', 'K7QF92MX'],
  [' K7QF 92MX ', 'K7QF92MX'],
  ['oOlL-iI00', '00111100'],
  ['K7QF-92M', undefined],
  ['K7QF-92MXX', undefined],
  ['K7QF-92MU', undefined],
  ['K7QF-92M!', undefined],
  ['', undefined]
])('the code %j is read as %j', (text, code) => {
  expect(readCode(text)).toBe(code)
})

test('a code is shown so that it can be read out', () => {
  expect(shownCode('K7QF92MX')).toBe('K7QF-92MX')
  expect(readCode(shownCode('K7QF92MX'))).toBe('K7QF92MX')
})

test.each([
  ['  my   phone ', 'my phone'],
  ['line\nbreak\ttab', 'line break tab'],
  ['\u202eevil\u0007', 'evil'],
  ['Ada\u0308', 'Adä'],
  ['\u200b\u2060', undefined],
  ['\u3164', undefined],
  ['\u115f\u1160', undefined],
  ['\u2800\u2800', undefined],
  ['\u034f\ufe0f\u17b4', undefined],
  ['\u{e0041}', undefined],
  ['pi\u2800 \u3164 4', 'pi 4'],
  [`a${'\u0489'.repeat(32)}b`, 'a\u0489\u0489b'],
  ['\u0301', undefined],
  ['ก็ก็', 'ก็ก็'],
  ['', undefined],
  ['x'.repeat(64), 'x'.repeat(64)],
  ['x'.repeat(65), undefined],
  ['\u{1F4F1}'.repeat(64), '\u{1F4F1}'.repeat(64)]
])('a device that calls itself %j is shown as %j', (text, name) => {
  expect(readDeviceName(text)).toBe(name)
})

const PIN = `sha256//${'A'.repeat(43)}=`

test('proofs are HMACs with a key of PBKDF2, both with SHA-256', async () => {
  const key = pbkdf2Sync('K7QF92MX', `intent-bus pairing 1\nabc\n${PIN}`, 600_000, 32, 'sha256')
  const nonce = '0123456789abcdef'.repeat(2)
  const ours = await proofKey('K7QF92MX', 'abc', PIN)
  expect(await deviceProof(ours, nonce, 'pi')).toBe(createHmac('sha256', key).update(`device\n${nonce}\npi`).digest('hex'))
  expect(await busProof(ours, nonce)).toBe(createHmac('sha256', key).update(`bus\n${nonce}`).digest('hex'))
})

test('a proof counts for its code, pairing, pin, nonce and name only, and never for the other side', async () => {
  const key = await proofKey('K7QF92MX', 'abc', PIN)
  const proof = await deviceProof(key, 'aa', 'pi')
  expect(await isDeviceProof(key, proof, 'aa', 'pi')).toBe(true)
  expect(await isDeviceProof(key, proof, 'ab', 'pi')).toBe(false)
  expect(await isDeviceProof(key, proof, 'aa', 'po')).toBe(false)
  expect(await isBusProof(key, proof, 'aa')).toBe(false)
  expect(await isBusProof(key, await busProof(key, 'aa'), 'aa')).toBe(true)
  expect(await isDeviceProof(key, proof.toUpperCase(), 'aa', 'pi')).toBe(false)
  expect(await isDeviceProof(key, '', 'aa', 'pi')).toBe(false)
  const others = await Promise.all([proofKey('K7QF92MY', 'abc', PIN), proofKey('K7QF92MX', 'abd', PIN), proofKey('K7QF92MX', 'abc', PIN.replace('A', 'B'))])
  for (const other of others) expect(await isDeviceProof(other, proof, 'aa', 'pi')).toBe(false)
})
