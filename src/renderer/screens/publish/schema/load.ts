import type { PayloadSchema } from './payload-schema.ts'

/** Schemas are rare, and what checks them is large: it is fetched when there is one. */
export async function loadSchema(text: string): Promise<PayloadSchema> {
  const { PayloadSchema } = await import('./payload-schema.ts')
  return new PayloadSchema(text)
}
