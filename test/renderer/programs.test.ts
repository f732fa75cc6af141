import { execFileSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { literal, pythonKey, shellSetup, type KeySource } from '../../src/renderer/lib/text/programs.ts'

describe('the key', () => {
  it.each<[KeySource, string, string]>([
    ['tk_1', 'KEY=tk_1', '"tk_1"'],
    [{ in: 'file', where: "/home/it's me/main.key" }, `KEY="$(cat '/home/it'\\''s me/main.key')"`, `open("/home/it's me/main.key").read().strip()`],
    [{ in: 'environment', where: 'BUS_SECRET' }, 'KEY="$BUS_SECRET"', 'os.environ["BUS_SECRET"]'],
    [{ in: 'keychain', where: 'the keychain' }, "KEY='paste a key here'", '"paste a key here"'],
    [null, "KEY='paste a key here'", '"paste a key here"']
  ])('%j', (key, shell, python) => {
    expect(shellSetup('http://127.0.0.1:7610', key)).toBe(`URL=http://127.0.0.1:7610\n${shell}`)
    expect(pythonKey(key)).toBe(python)
  })
})

it('a text is the same in JavaScript and in Python, and shows nothing that turns around', () => {
  const text = `it's "a" $b \`c\` \${d} \\ é 😀 \u2028 \u202e \u007f \n`
  expect(JSON.parse(literal(text))).toBe(text)
  expect(literal(text)).not.toMatch(/[\u007f-\u009f\u2028-\u202e]/)
  const python = `import sys; sys.stdout.buffer.write(${literal(text)}.encode())`
  expect(execFileSync('python3', ['-c', python], { encoding: 'utf8' })).toBe(text)
})
