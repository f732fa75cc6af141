import type { CheckedInput } from '../../../shared/control/contract.ts'
import { ProtocolError } from '../../../shared/errors.ts'
import type { ControlDependencies } from '../dependencies.ts'
import { FieldError, type Handlers } from '../control.ts'
import { readPublication, publish } from '../publication.ts'

/** What operators keep: templates and saved views. */
export function libraryHandlers({ bus, feed }: ControlDependencies) {
  return {
    'templates.list': () => bus.templates.list(),

    'templates.save': async ({ id, name, schema, ...fields }) => {
      readPublication(fields)
      checkSchema(schema)
      const template = await bus.templates.save({ id, name, ...fields, schema })
      feed.noteChanged('templates')
      return template
    },

    'templates.remove': async ({ id }) => {
      await bus.templates.remove(id)
      feed.noteChanged('templates')
      return null
    },

    'templates.run': async ({ id, payload }) => {
      const template = bus.templates.find(id)
      if (template === undefined) throw new ProtocolError('not_found', 'There is no such template any more.')
      const { name: _, schema: __, updatedAt: ___, id: ____, ...fields } = template
      return publish(bus, { ...fields, payload: payload ?? template.payload })
    },

    'views.list': () => bus.savedViews.list(),

    'views.save': async (view) => {
      const saved = await bus.savedViews.save(view)
      feed.noteChanged('views')
      return saved
    },

    'views.remove': async ({ id }) => {
      await bus.savedViews.remove(id)
      feed.noteChanged('views')
      return null
    }
  } satisfies Partial<Handlers>
}

function checkSchema(schema: CheckedInput<'templates.save'>['schema']): void {
  if (schema === null) return
  try {
    const value: unknown = JSON.parse(schema)
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return
  } catch (error) {
    throw new FieldError('schema', new ProtocolError('invalid_json', `The schema is not valid JSON: ${(error as Error).message}.`))
  }
  throw new FieldError('schema', new ProtocolError('invalid_request', 'The schema must be a JSON object.'))
}
