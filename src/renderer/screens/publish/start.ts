import { readable, type Draft } from './draft.ts'

/** What an address wants to be published. Nothing is published by going somewhere: the form is filled in, no more. */
export type Start =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'given'; readonly fields: Partial<Draft> }
  | { readonly kind: 'intent'; readonly id: string }
  | { readonly kind: 'template'; readonly id: string }

/** `#/publish?template=<id>`, `?from=<id of an intent>`, `?goal=…&payload=…&namespace=…`. */
export function startOf(params: URLSearchParams): Start {
  const template = params.get('template')
  if (template) return { kind: 'template', id: template }
  const from = params.get('from')
  if (from) return { kind: 'intent', id: from }
  const [goal, payload, namespace] = ['goal', 'payload', 'namespace'].map((name) => params.get(name))
  const fields = { ...(goal && { goal }), ...(payload && { payload: readable(payload) }), ...(namespace && { namespace }) }
  return Object.keys(fields).length === 0 ? { kind: 'nothing' } : { kind: 'given', fields }
}
