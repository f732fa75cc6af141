import { expect, test } from 'vitest'
import { TestBus } from '../support/test-bus.ts'

const TEMPLATE = {
  id: null,
  name: 'Resize',
  goal: 'resize',
  payload: '{"width": 1.10, "n": 12345678901234567890}',
  namespace: 'lab',
  visibility: 'public',
  priority: 5,
  delay: 0,
  maxAttempts: 3,
  backoffBase: 5,
  target: null,
  capability: 'gpu',
  publisher: 'main',
  schema: null
} as const

test('a template is kept as it was saved, changed and removed', async () => {
  await using t = new TestBus()
  const saved = await t.bus.templates.save(TEMPLATE)
  expect(saved).toEqual({ ...TEMPLATE, id: expect.stringMatching(/^[0-9a-f]{16}$/), updatedAt: t.clock.now() })
  await t.restart()
  expect(t.bus.templates.find(saved.id)).toEqual(saved)
  await t.clock.advance(5)
  const changed = await t.bus.templates.save({ ...TEMPLATE, id: saved.id, name: 'Shrink' })
  expect(changed).toEqual({ ...saved, name: 'Shrink', updatedAt: t.clock.now() })
  await t.bus.templates.save({ ...TEMPLATE, name: 'Enlarge' })
  expect(t.bus.templates.list().map(({ name }) => name)).toEqual(['Enlarge', 'Shrink'])
  await t.bus.templates.remove(saved.id)
  await t.bus.templates.remove(saved.id)
  expect(t.bus.templates.find(saved.id)).toBeUndefined()
  await expect(t.bus.templates.save({ ...TEMPLATE, id: saved.id })).rejects.toMatchObject({ code: 'not_found' })
  expect(t.bus.templates.list()).toHaveLength(1)
})

test('a saved view is kept as it was saved, changed and removed', async () => {
  await using t = new TestBus()
  const saved = await t.bus.savedViews.save({ id: null, name: 'Dead ones', filter: 'status:dead' })
  expect(saved).toEqual({ id: expect.stringMatching(/^[0-9a-f]{16}$/), name: 'Dead ones', filter: 'status:dead' })
  await t.restart()
  await t.bus.savedViews.save({ ...saved, filter: 'status:dead ns:lab' })
  await t.bus.savedViews.save({ id: null, name: 'All', filter: '' })
  expect(t.bus.savedViews.list().map(({ name, filter }) => [name, filter])).toEqual([
    ['All', ''],
    ['Dead ones', 'status:dead ns:lab']
  ])
  await t.bus.savedViews.remove(saved.id)
  await expect(t.bus.savedViews.save(saved)).rejects.toMatchObject({ code: 'not_found' })
  expect(t.bus.savedViews.list()).toHaveLength(1)
})

test('there is a limit to both, and changing what is there is not affected by it', async () => {
  await using t = new TestBus()
  const { templates, savedViews } = t.bus
  const [template] = await Promise.all(Array.from({ length: 500 }, () => templates.save(TEMPLATE)))
  const [view] = await Promise.all(Array.from({ length: 200 }, (_, i) => savedViews.save({ id: null, name: `${i}`, filter: '' })))
  await expect(templates.save(TEMPLATE)).rejects.toMatchObject({ code: 'limit_exceeded' })
  await expect(savedViews.save({ id: null, name: 'more', filter: '' })).rejects.toMatchObject({ code: 'limit_exceeded' })
  await templates.save(template!)
  await savedViews.save(view!)
  expect([templates.list().length, savedViews.list().length]).toEqual([500, 200])
})
