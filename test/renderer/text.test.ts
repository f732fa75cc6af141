import { execFileSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { fulfilLine, publishLine, readSecretWord, shellWord } from '../../src/renderer/lib/text/commands.ts'
import { briefNumber, formatBytes, shortNumber } from '../../src/renderer/lib/text/numbers.ts'
import { restoreQuestion } from '../../src/renderer/lib/text/recovery.ts'
import { briefDuration, exactTime, fullDuration, minuteTime, relativeTime, wholeTime } from '../../src/renderer/lib/text/time.ts'

describe('durations', () => {
  it.each([
    [0, '0 s', '0 s'],
    [0.0342, '34 ms', '34 ms'],
    [2.345, '2.3 s', '2.3 s'],
    [59, '59 s', '59 s'],
    [65, '65 s', '1 min 05 s'],
    [3_599.7, '59 min', '1 h 00 min'],
    [9_000, '2 h', '2 h 30 min'],
    [200_000, '2 d', '2 d 7 h']
  ])('%d s', (seconds, brief, full) => {
    expect([briefDuration(seconds), fullDuration(seconds)]).toEqual([brief, full])
  })
})

describe('moments', () => {
  it.each([
    [1_000, 'now'],
    [880, '2 min ago'],
    [1_010.4, 'in 10 s'],
    [1_000.4, 'now']
  ])('%d seen from 1000', (at, text) => {
    expect(relativeTime(at, 1_000)).toBe(text)
  })

  it('names the time zone', () => {
    expect(exactTime(1_700_000_000.25)).toMatch(/^2023-11-1[45] \d\d:\d\d:20\.250 UTC/)
  })

  it('have no milliseconds in sentences, and no zone beside others', () => {
    expect(wholeTime(1_700_000_000.25)).toMatch(/^2023-11-1[45] \d\d:\d\d:20 UTC/)
    expect(minuteTime(1_700_000_000.25)).toMatch(/^2023-11-1[45] \d\d:\d\d$/)
    const { text } = restoreQuestion({ id: 'a', kind: 'daily', at: 1_700_000_000.234, bytes: 1, isAhead: false }, false)
    expect(text).toContain(wholeTime(1_700_000_000))
  })
})

describe('numbers', () => {
  it('are exact while there is room', () => {
    expect([0, 99_999, 123_456, 1_000_000].map(shortNumber)).toEqual(['0', '99,999', '123.5K', '1M'])
  })

  it('are of few characters where there is hardly room', () => {
    expect([0, 987, 1_234, 2_000, 20_000, 123_456, 1_200_000].map(briefNumber)).toEqual(['0', '987', '1.2K', '2K', '20K', '123K', '1.2M'])
  })

  it('count bytes as SPEC does', () => {
    expect([0, 1_023, 7_168, 20 * 1024 ** 2].map(formatBytes)).toEqual(['0 B', '1023 B', '7.0 KB', '20 MB'])
  })
})

describe('lines for a shell', () => {
  const run = (line: string): string[] =>
    execFileSync('bash', ['-c', `bus() { printf "%s\\n" "$@"; }; URL=http://x; ID=7; TOKEN=t9; ${line}`], { encoding: 'utf8' }).trimEnd().split('\n')

  it('pass on a payload as it is', () => {
    const payload = `{"it's":"$HOME \`x\` \\\\ \\"q\\""}`
    expect(run(publishLine("o'goal", payload)).slice(-2)).toEqual(['-d', `{"goal":"o'goal","payload":${payload}}`])
  })

  it('put the claim token into the result', () => {
    expect(run(fulfilLine(`{"said":"it's"}`)).at(-1)).toBe(`{"claim_token":"t9","result":{"said":"it's"}}`)
  })

  it('read the main key from where it lies', () => {
    expect(readSecretWord({ in: 'file', where: "/home/o'hara/main key" })).toBe(`"$(cat '/home/o'\\''hara/main key')"`)
    expect(readSecretWord({ in: 'environment', where: 'BUS_SECRET' })).toBe('"$BUS_SECRET"')
    expect(readSecretWord({ in: 'keychain', where: 'the keychain' })).toBeNull()
  })

  it('keep plain words plain', () => {
    expect(['http://127.0.0.1:7610', 'a b', ''].map(shellWord)).toEqual(['http://127.0.0.1:7610', "'a b'", "''"])
  })
})
