import { expect, test, vi } from 'vitest'
import { readRecord } from '../../src/main/bus/transfer/export-records.ts'

/** Lines as version 1 of the format wrote them: they are read for good, whatever operators may save by now. */

vi.mock('../../src/shared/control/contract.ts', async (original) => {
  const real = await original<typeof import('../../src/shared/control/contract.ts')>()
  return { ...real, methods: { ...real.methods, 'templates.save': real.methods['templates.remove'] } }
})

const TEMPLATE =
  '{"type":"template","id":"0123456789abcdef","updated_at":1790000000.5,"template":{"name":"tidy up","goal":"tidy","payload":"{\\"n\\":1.10}","namespace":"home","visibility":"public","priority":7,"delay":5,"maxAttempts":2,"backoffBase":3.5,"target":"pi","capability":null,"publisher":"main","schema":"{\\"type\\":\\"object\\"}"}}'

test('a template', () => {
  const { template } = JSON.parse(TEMPLATE) as { template: object }
  const record = readRecord(TEMPLATE, 1_790_000_001)
  expect(record).toMatchObject({ type: 'template', id: '0123456789abcdef', updatedAt: 1_790_000_000.5 })
  expect(JSON.parse((record as { content: string }).content)).toEqual(template)
})

test.each([
  ['"priority":7', '"priority":1e9', /^template\.priority: /],
  ['"goal":"tidy"', '"goal":""', /^template\.goal: /],
  ['"name":"tidy up"', '"surname":"tidy up"', /^template/]
])('a template with another %s is refused', (from, to, words) => {
  expect(() => readRecord(TEMPLATE.replace(from, to), 1_790_000_001)).toThrow(words)
})
