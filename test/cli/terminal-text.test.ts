import { expect, test } from 'vitest'
import { dataDirectoryOf } from '../../src/main/config.ts'
import { dataFolderOf } from '../../src/main/cli/bus/data-folder.ts'
import { cleanJson, cleanLine, cleanLines } from '../../src/main/cli/terminal/clean.ts'
import { prettyJson } from '../../src/main/cli/terminal/json.ts'
import { tableLines } from '../../src/main/cli/terminal/table.ts'
import { duration, relativeTime } from '../../src/main/cli/terminal/time.ts'
import { cutToWidth, padToWidth, textWidth } from '../../src/main/cli/terminal/width.ts'
import { ErrorLines } from '../../src/main/cli/work/error-lines.ts'

test.each([
  ['plain ünï 日本語 🎉', 'plain ünï 日本語 🎉'],
  ['\u001b[31mred\u001b[0m', '\\x1b[31mred\\x1b[0m'],
  ['\u009b31m\u0000\u007f', '\\x9b31m\\x00\\x7f'],
  ['a\tb\r\n  c', 'a b c'],
  ['user\u202egpj.exe\u2066\u200b', 'user\\u202egpj.exe\\u2066\\u200b']
])('on one line %j becomes %j', (text, clean) => {
  expect(cleanLine(text)).toBe(clean)
})

test('text of several lines keeps them, and nothing else that acts', () => {
  expect(cleanLines('a\r\n\tb\rc\u001b]8;;http://x\u0007')).toBe('a\n\tb\\x0dc\\x1b]8;;http://x\\x07')
})

test('clean JSON is the same JSON', () => {
  const json = JSON.stringify({ text: '\u009b2J\u202e\u007f\u001b' })
  expect(cleanJson(json)).not.toMatch(/[\u007f-\u009f\u202e\u001b]/)
  expect(JSON.parse(cleanJson(json))).toEqual(JSON.parse(json))
})

test('pretty JSON keeps the characters of numbers and strings', () => {
  const json = '{"a":1.10,"b":[],"c":{},"d":[1,{"e":"x, {y}: \\"z\\" "}],"f":12345678901234567890}'
  expect(prettyJson(json)).toBe(`{
  "a": 1.10,
  "b": [],
  "c": {},
  "d": [
    1,
    {
      "e": "x, {y}: \\"z\\" "
    }
  ],
  "f": 12345678901234567890
}`)
  for (const scalar of ['1.10', '"a b"', 'null', '[]', '{}']) expect(prettyJson(` ${scalar} `)).toBe(scalar)
})

test.each([
  ['abc', 3],
  ['日本', 4],
  ['e\u0301', 1],
  ['👩‍👩‍👧', 2],
  ['☀️', 2],
  ['ｆ', 2],
  ['', 0]
])('%j is %d columns wide', (text, width) => {
  expect(textWidth(text)).toBe(width)
})

test('cuts and fills by columns, not by characters', () => {
  expect(cutToWidth('日本語', 5)).toBe('日本…')
  expect(cutToWidth('日本語', 4)).toBe('日…')
  expect(cutToWidth('日本語', 6)).toBe('日本語')
  expect(cutToWidth('abc', 0)).toBe('')
  expect(padToWidth('日', 4)).toBe('日  ')
  expect(padToWidth('7', 3, 'right')).toBe('  7')
})

test('a table gives up columns where they may be cut, the widest first', () => {
  const plain = (text: string): string => text
  const columns = [{ title: 'ID' }, { title: 'GOAL', shrinksTo: 4 }, { title: 'ERROR', shrinksTo: 5 }]
  const rows = [['0123', 'a long goal', 'a very long error\nindeed']]
  expect(tableLines(columns, rows, undefined, plain)).toEqual(['ID    GOAL         ERROR', '0123  a long goal  a very long error indeed'])
  expect(tableLines(columns, rows, 24, plain)).toEqual(['ID    GOAL      ERROR', '0123  a long …  a very …'])
  expect(tableLines(columns, rows, 5, plain)).toEqual(['ID    GOAL  ERROR', '0123  a l…  a ve…'])
})

test.each([
  [0.34, '340 ms'],
  [1.234, '1.2 s'],
  [59, '59 s'],
  [119, '119 s'],
  [120, '2 min'],
  [7_199, '119 min'],
  [7_200, '2 h'],
  [172_800, '2 d']
])('%d seconds are %s', (seconds, text) => {
  expect(duration(seconds)).toBe(text)
})

test('times are told from now', () => {
  expect(relativeTime(100, 100.5)).toBe('now')
  expect(relativeTime(100, 112)).toBe('12 s ago')
  expect(relativeTime(112, 100)).toBe('in 12 s')
})

test('the last line of standard error is the last one that says something', () => {
  const lines: string[] = []
  const errors = new ErrorLines((line) => lines.push(line))
  for (const piece of ['first\nse', 'cond', ' ünï'.slice(0, 2)]) errors.read(Buffer.from(piece))
  errors.read(Buffer.from('ü').subarray(0, 1))
  errors.read(Buffer.concat([Buffer.from('ü').subarray(1), Buffer.from('\n \n')]))
  errors.read(Buffer.from('x'.repeat(4_500)))
  errors.end()
  expect(lines.map(({ length }) => length)).toEqual([5, 9, 0, 2_000, 2_000, 500])
  expect(lines[1]).toBe('second üü')
  expect(errors.last).toBe('x'.repeat(500))
})

test('the data folder is where the bus itself looks for it', () => {
  const folders = [{ BUS_DATA_DIR: ' /data ' }, { BUS_DATA_DIR: '' }, { XDG_CONFIG_HOME: '/xdg' }, { XDG_CONFIG_HOME: '' }]
  for (const platform of ['linux', 'darwin', 'win32'] as const) {
    for (const env of [{}, { APPDATA: '/roaming' }, ...folders]) expect(dataFolderOf(env, platform)).toBe(dataDirectoryOf(env, platform))
  }
})
