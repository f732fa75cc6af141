import { afterEach, expect, test, vi } from 'vitest'
import { replaceFile } from '../../src/main/files.ts'

/** Renames that another program hinders so many times; tells how often it was tried. */
function hindered(times: number, code = 'EPERM') {
  let tries = 0
  const rename = (): void => {
    if (++tries <= times) throw Object.assign(new Error(code), { code })
  }
  return { rename, tries: () => tries }
}

afterEach(() => vi.unstubAllGlobals())

function onPlatform(platform: NodeJS.Platform): void {
  vi.stubGlobal('process', Object.create(process, { platform: { value: platform } }))
}

test('on Windows a file that a scanner holds for a moment is replaced a moment later', () => {
  onPlatform('win32')
  const { rename, tries } = hindered(3)
  replaceFile('a', 'b', rename)
  expect(tries()).toBe(4)
})

test('one that is held on and on is said', () => {
  onPlatform('win32')
  const { rename } = hindered(Infinity, 'EBUSY')
  expect(() => replaceFile('a', 'b', rename)).toThrow('EBUSY')
})

test('elsewhere, and for other errors, there is nothing to wait for', () => {
  const here = hindered(1)
  expect(() => replaceFile('a', 'b', here.rename)).toThrow('EPERM')
  onPlatform('win32')
  const full = hindered(1, 'ENOSPC')
  expect(() => replaceFile('a', 'b', full.rename)).toThrow('ENOSPC')
  expect([here.tries(), full.tries()]).toEqual([1, 1])
})
