import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { ROOT } from '../support/bus-process.ts'

/** What a claim of SECURITY.md says, and the tests that show it. */
interface Claim {
  readonly text: string
  readonly evidence: readonly { readonly file: string; readonly titles: readonly string[] }[]
}

const LINE_OF_EVIDENCE = /^ {2}`(test\/[\w/-]+\.test\.ts)`: (“[^”]+”(?:, “[^”]+”)*)$/gm

function claims(): Claim[] {
  const text = readFileSync(join(ROOT, 'SECURITY.md'), 'utf8')
  const defended = text.split(/^## /m).find((section) => section.startsWith('What is defended'))!
  return defended.split(/^- /m).slice(1).map((part) => {
    const [item = ''] = part.split(/\n(?:\n|#)/)
    const evidence = [...item.matchAll(LINE_OF_EVIDENCE)].map(([, file, quoted]) => {
      return { file: file!, titles: [...quoted!.matchAll(/“([^”]+)”/g)].map(([, title]) => title!) }
    })
    return { text: item.split('\n').filter((line) => !line.trimStart().startsWith('`test/')).join(' '), evidence }
  })
}

/** Whether a file has a test of that title, or a row of one that is made for each; what is skipped for good shows nothing. */
function hasTest(source: string, title: string): boolean {
  const literal = title.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')
  const isThere = new RegExp(`[(\\[]\\s*(['"\`])${literal}(?:\\1,|\\$\\{)`).test(source)
  return isThere && !new RegExp(`\\.(?:skip|todo|fails|only)\\(\\s*['"\`]${literal}`).test(source)
}

const all = claims()

describe('SECURITY.md', () => {
  test('has claims', () => {
    expect(all.length).toBeGreaterThan(30)
  })

  test.each(all.map(({ text, evidence }) => [text, evidence] as const))('“%s” is shown by tests', (_text, evidence) => {
    expect(evidence).not.toEqual([])
    for (const { file, titles } of evidence) {
      expect([file, existsSync(join(ROOT, file))]).toEqual([file, true])
      const source = readFileSync(join(ROOT, file), 'utf8')
      expect(titles.filter((title) => !hasTest(source, title))).toEqual([])
    }
  })

  test('names no test outside of its claims, nor in another form', () => {
    const text = readFileSync(join(ROOT, 'SECURITY.md'), 'utf8')
    const named = [...text.matchAll(/test\/[\w/.-]+/g)].length
    expect(named).toBe(all.flatMap(({ evidence }) => evidence).length)
  })
})
