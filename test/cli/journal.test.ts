import { Writable } from 'node:stream'
import { expect, test } from 'vitest'
import { Journal } from '../../src/main/cli/work/journal.ts'
import { Output } from '../../src/main/cli/terminal/output.ts'
import type { ClaimedIntent } from '../../src/shared/client/index.ts'

/** A journal and the lines that it wrote. */
function journal(isJson: boolean) {
  const lines: string[] = []
  const stream = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      lines.push(chunk.toString())
      done()
    }
  }) as unknown as NodeJS.WriteStream
  return { lines, journal: new Journal(new Output(stream, stream, {}, isJson, { unread: () => {}, unwritable: () => {} })) }
}

function claimed(id: string): ClaimedIntent {
  return { id, goal: 'g', namespace: 'default', claimAttempts: 1 } as ClaimedIntent
}

test('each attempt has its own time, also of an intent that comes again before the first has ended', async () => {
  const { lines, journal: written } = journal(true)
  const [first, second] = [claimed('x'), claimed('x')]
  written.claimed(first)
  await new Promise((resolve) => setTimeout(resolve, 60))
  written.claimed(second)
  written.settled({ status: 'lost', error: new Error('lost') }, first)
  await new Promise((resolve) => setTimeout(resolve, 20))
  written.settled({ status: 'fulfilled', result: null }, second)
  const [lost, fulfilled] = lines.slice(2).map((line) => JSON.parse(line) as { seconds: number })
  expect(lost!.seconds).toBeGreaterThan(0.05)
  expect(fulfilled!.seconds).toBeGreaterThan(0.01)
  expect(fulfilled!.seconds).toBeLessThan(lost!.seconds)
})

test('what a bus says of an intent cannot act on a terminal', () => {
  const { lines, journal: written } = journal(false)
  written.claimed({ ...claimed('x\u001b[2J'), goal: 'g\u0007' })
  expect(lines.join('')).toContain('x\\x1b[2J  g\\x07')
})
