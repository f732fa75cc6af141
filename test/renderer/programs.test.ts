import { execFileSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { literal, pythonKey, shellKey, type KeySource } from '../../src/renderer/lib/text/programs.ts'

describe('the key', () => {
  it.each<[KeySource, string, string]>([
    ['tk_1', 'tk_1', '"tk_1"'],
    [{ in: 'file', where: "/home/it's me/main.key" }, `"$(cat '/home/it'\\''s me/main.key')"`, `open("/home/it's me/main.key").read().strip()`],
    [{ in: 'environment', where: 'BUS_SECRET' }, '"$BUS_SECRET"', 'os.environ["BUS_SECRET"]'],
    [{ in: 'keychain', where: 'the keychain' }, "'paste a key here'", '"paste a key here"'],
    [null, "'paste a key here'", '"paste a key here"']
  ])('%j', (key, shell, python) => {
    expect(shellKey(key)).toBe(shell)
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
