import type { KeyView } from '../../../../shared/control/key-views.ts'

/** What a key is called, by its public id. */
export type KeyNames = (id: string) => string

/** Owners' names for the ids of keys. `keys`: undefined while they are not known. */
export function keyNames(keys: readonly KeyView[] | undefined): KeyNames {
  const owners = new Map(keys?.map(({ id, owner }) => [id, owner]))
  return (id) => {
    if (id === 'main') return 'main key'
    return owners.get(id) ?? (keys === undefined ? id : `${id} (revoked)`)
  }
}

/** `the main key`, `the key of pi4`: completes "with …". */
export function keyPhrase(id: string, nameOf: KeyNames): string {
  return id === 'main' ? 'the main key' : `the key of ${nameOf(id)}`
}
