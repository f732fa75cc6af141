import { ProtocolError } from '../../shared/errors.ts'
import type { KeyLimits } from '../../shared/scope.ts'
import type { AuditNote } from './audit.ts'
import type { Clock } from './clock.ts'
import { KeyExpiry } from './key-expiry.ts'
import { checkLimits } from './key-limits.ts'
import type { Key, NewKey } from './keys.ts'
import type { Parts } from './parts.ts'

/** What the audit trail says of a new key. */
export type NoteOfKey = (key: Key) => AuditNote

/** Making, changing and revoking keys, and what ends with a key or its limits. */
export class KeyChanges {
  readonly #parts: Parts
  readonly #onStale: () => void
  readonly #expiry: KeyExpiry

  /** `onStale` hears that whoever was let in with some key before must not be held any more. */
  constructor(parts: Parts, clock: Clock, onStale: () => void) {
    this.#parts = parts
    this.#onStale = onStale
    this.#expiry = new KeyExpiry(parts.keys, clock, (ids) => {
      for (const id of ids) this.#refuse(id, expiredKey())
      this.#changed()
    })
    this.#expiry.set()
  }

  /** See Bus.createKey. */
  async create(owner: string, limits: KeyLimits, noteOf: NoteOfKey | undefined): Promise<NewKey> {
    const { audit, commits, keys } = this.#parts
    const checked = checkLimits(limits)
    const created = await commits.run((now) => {
      const made = keys.create(owner, checked, now)
      if (noteOf !== undefined) audit.write(noteOf(made.key), now)
      return made
    })
    keys.activate(created)
    this.#changed()
    return created
  }

  /** See Bus.renameKey. */
  async rename(id: string, owner: string): Promise<void> {
    const { commits, keys } = this.#parts
    await commits.run(() => keys.rename(id, owner))
    keys.renamed(id, owner)
    this.#changed()
  }

  /** See Bus.limitKey. */
  async limit(id: string, limits: KeyLimits): Promise<void> {
    const { clientEvents, commits, keys, parking, settledWaits } = this.#parts
    const checked = checkLimits(limits)
    await commits.run(() => keys.limit(id, checked))
    keys.limited(id, checked)
    this.#onStale()
    parking.endOf(id)
    settledWaits.endOf(id)
    clientEvents.end(id)
    this.#changed()
  }

  /** See Bus.revokeKey; resolves with the id. */
  async revoke(keyOrId: string): Promise<string> {
    const { commits, idempotency, keys, nonces, rates } = this.#parts
    const id = await commits.run((now) => {
      const revoked = keys.revoke(keyOrId, now)
      rates.deleteOfKey(revoked)
      idempotency.deleteOfKey(revoked)
      nonces.deleteOfKey(revoked)
      return revoked
    })
    keys.deactivate(id)
    this.#refuse(id, new ProtocolError('unauthorized', 'Invalid API key.'))
    this.#changed()
    return id
  }

  /** Keys from elsewhere that are on disk: they count from now on. */
  adopt(adopted: readonly { readonly key: Key; readonly digest: string }[]): void {
    for (const { key, digest } of adopted) this.#parts.keys.adopt(key, digest)
    this.#changed()
  }

  close(): void {
    this.#expiry.close()
  }

  /** Ends what is held for a key that counts no more. */
  #refuse(id: string, error: ProtocolError): void {
    const { clientEvents, parking, settledWaits } = this.#parts
    this.#onStale()
    parking.refuse(id, error)
    settledWaits.refuse(id, error)
    clientEvents.end(id)
  }

  #changed(): void {
    this.#expiry.set()
    this.#parts.access.tell('keys')
  }
}

/** How a key is refused whose time is over. */
export function expiredKey(): ProtocolError {
  return new ProtocolError('unauthorized', 'This API key has expired.')
}
