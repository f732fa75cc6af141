import type { SecretView } from '../../../shared/control/status-views.ts'

/** Where a secret is kept, as the end of "It is kept …". */
export function keptIn({ in: place, where }: SecretView): string {
  if (place === 'environment') return `in the variable ${where} of the environment`
  if (place === 'file') return `in the file ${where}, which only your user can read`
  if (place === 'keychain') return `in ${where}`
  return `where this bus cannot read it; it is not in ${where}`
}
