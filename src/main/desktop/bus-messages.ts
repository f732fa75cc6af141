import type { DamageView, Recovery } from '../../shared/control/backup-views.ts'
import type { Settings } from '../../shared/control/settings.ts'
import type { Envelope } from '../../shared/control/transport.ts'
import type { EventFrame } from '../../shared/control/event-frame.ts'
import type { Host } from '../host.ts'

/** What passes between the main thread, which has the windows, and the thread that runs the bus. */

/** Given to the thread at its start. */
export interface BusThreadData {
  readonly logFile: string
  /** What users call the keychain; null where there is none, and secrets are kept in files. */
  readonly keychain: string | null
  readonly unavailableSettings: Host['unavailableSettings']
  readonly notices: readonly string[]
  /** What is to be done about a damaged database before it is opened; null for nothing. */
  readonly recovery: Recovery | null
}

/** What only the main thread can do for the bus. */
export interface HostServices {
  /** Encrypts with the keychain; the answer is Base64. */
  seal(text: string): Promise<string>
  /** Decrypts; `isStale` asks to seal it again, because the keychain has a new key. */
  unseal(sealed: string): Promise<{ readonly text: string; readonly isStale: boolean }>
  show: Host['show']
  applySettings(settings: Settings): Promise<void>
}

export type HostService = keyof HostServices

export interface HostRequest {
  readonly kind: 'host-request'
  readonly id: number
  readonly service: HostService
  readonly argument: unknown
}

/** To the bus. */
export type ToBus =
  | { readonly kind: 'call'; readonly id: number; readonly method: string; readonly input: unknown }
  | { readonly kind: 'listen' }
  | { readonly kind: 'unlisten' }
  | { readonly kind: 'host-answer'; readonly id: number; readonly value: unknown }
  | { readonly kind: 'host-refusal'; readonly id: number; readonly message: string }
  /** What the machine is about to do, or has just done. */
  | { readonly kind: 'power'; readonly what: 'sleeps' | 'wakes' }
  /** Requests under way get so many milliseconds. */
  | { readonly kind: 'close'; readonly graceMs: number }

/** From the bus. */
export type FromBus =
  | { readonly kind: 'ready' }
  /** The bus cannot start; `problem` is a sentence for the user, `damage` is there where its database is damaged. */
  | { readonly kind: 'failed'; readonly problem: string; readonly damage?: DamageView }
  /** The bus closes, its thread ends, and another one is to take its place. */
  | { readonly kind: 'restarting' }
  | { readonly kind: 'answer'; readonly id: number; readonly envelope: Envelope }
  | { readonly kind: 'frame'; readonly frame: EventFrame }
  | HostRequest
  | { readonly kind: 'closed' }
