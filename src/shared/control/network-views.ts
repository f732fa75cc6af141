import type { Right } from './rights.ts'

/** What operators get to see of the network: sharing, pairing, who is let in. Times are Unix seconds. */

/** A network interface of the bus's machine. */
export interface InterfaceView {
  readonly name: string
  /** Addresses that other machines can use; IPv4 first. */
  readonly addresses: readonly string[]
  /** `virtual`: of containers and virtual machines, where no other machine is. */
  readonly kind: 'lan' | 'vpn' | 'virtual'
  /** Whether the way out of this machine goes through it. */
  readonly isDefault: boolean
}

/** The systems that ask and are asked differently, as for a firewall. */
export type Platform = 'linux' | 'macos' | 'windows' | 'other'

/** How other machines reach the bus. */
export interface SharingView {
  /** `waiting`: there is no usable network right now; the bus listens as soon as there is. */
  readonly state: 'off' | 'listening' | 'waiting' | 'failed'
  /** Why not all is well, also while it listens, and what to do; null when it is. */
  readonly problem: string | null
  readonly busName: string
  readonly interfaces: readonly InterfaceView[]
  /** The interface that is shared on; null while there is none. */
  readonly interface: string | null
  /** The one that is shared on now where none is chosen by name; null while there is none. */
  readonly automatic: string | null
  /** The system of the bus's machine. */
  readonly platform: Platform
  readonly port: number
  /** `https://…`, the best first: an IPv4 address, then the rest, then `<host>.local`. Empty while it does not listen. */
  readonly urls: readonly string[]
  /** `http://…`, where the user has chosen that. */
  readonly plainUrls: readonly string[]
  readonly discovery: { readonly state: 'off' | 'announced' | 'failed'; readonly problem: string | null }
  /** null until sharing was on for the first time. */
  readonly identity: IdentityView | null
  /** Since when the first of `urls` is listened on as it is now: who came before that came by another way. null while it does not listen. */
  readonly since: number | null
  /** Who came, newest first; one entry for each address. */
  readonly arrivals: readonly ArrivalView[]
}

/** By what other machines know this bus. */
export interface IdentityView {
  /** `sha256//…` of the public key: what `curl --pinnedpubkey` and the clients take. Never changes by itself. */
  readonly pin: string
  /** SHA-256 of the root certificate, in hex pairs with colons, as systems show it. */
  readonly fingerprint: string
  /** The same of the certificate that the bus shows now, which is another one with each change of its names; null before the first. */
  readonly certificateFingerprint: string | null
  /** The root certificate in PEM, and its file. */
  readonly rootPem: string
  readonly rootPath: string
  readonly rootExpiresAt: number
  readonly certificateExpiresAt: number
  /** Names and addresses that the certificate is good for. */
  readonly names: readonly string[]
}

/** How it went for whoever came last from an address. */
export type ArrivalOutcome =
  | 'request'
  | 'spoke_http'
  | 'distrusts_certificate'
  | 'certificate_expired'
  | 'wrong_root'
  | 'broke_off'
  | 'malformed'
  | 'plain_http'
  | 'wrong_host'
  | 'other_site'
  | 'clock_off'
  | 'wrong_signature'
  | 'wrong_key'
  | 'wrong_password'
  | 'wrong_code'
  | 'limited'

/** Visits from one address that went alike, and the last of them. */
export interface VisitsView {
  readonly lastAt: number
  readonly count: number
  readonly outcome: ArrivalOutcome
  /** Plain words; and what to do, null where nothing is. */
  readonly text: string
  readonly next: string | null
  /** What its key's owner, or the browser that was paired, was called when it came; null where it has no name. */
  readonly name: string | null
  /** What its program calls itself, cut short; null where it does not say. */
  readonly agent: string | null
  /** Public id of its key; null where none counted. */
  readonly key: string | null
}

/** Who came from an address: the last visit, and how many there were. */
export interface ArrivalView extends VisitsView {
  readonly address: string
  readonly firstAt: number
  /** Those that got through; null where none did. */
  readonly success: VisitsView | null
  /** The last that did not, and how often that happened by then without another trouble between; null where all got through. */
  readonly trouble: VisitsView | null
}

/** One look of the bus at its own sharing, from its own machine. */
export interface SharingCheck {
  readonly name: 'address' | 'connection' | 'certificate' | 'answer' | 'clock' | 'discovery'
  readonly outcome: 'fine' | 'warning' | 'trouble'
  readonly text: string
  readonly next: string | null
}

/** The code that lets a device ask for access. */
export interface PairingCodeView {
  /** `K7QF-92MX`. */
  readonly code: string
  readonly expiresAt: number
  /** What the QR code says: a link to the interface with code, pin and the root's fingerprint in its fragment. */
  readonly link: string
  /** The line for another machine's terminal. */
  readonly command: string
  /** The same as a request by curl. */
  readonly curl: string
}

/** A device that asks for access, or did within the last minutes. */
export interface PairingRequestView {
  readonly id: string
  readonly kind: 'worker' | 'browser'
  /** What the device calls itself. */
  readonly name: string
  readonly address: string
  readonly agent: string | null
  readonly askedAt: number
  readonly expiresAt: number
  /** `taken`: allowed, and the device has what it asked for. */
  readonly state: 'waiting' | 'allowed' | 'refused' | 'taken' | 'expired'
}

export interface PairingView {
  readonly code: PairingCodeView | null
  /** Newest first. */
  readonly requests: readonly PairingRequestView[]
  /** Codes that did not count since the bus started, and when the last one came. */
  readonly wrongCodes: { readonly count: number; readonly lastAt: number | null }
}

/** A browser that is logged in or paired. */
export interface SessionView {
  readonly id: string
  /** What the user calls the device; the browser's own words where it was not paired. */
  readonly name: string
  readonly isPaired: boolean
  readonly isYours: boolean
  readonly rights: readonly Right[]
  readonly address: string
  readonly agent: string
  readonly createdAt: number
  readonly lastUsedAt: number
  readonly expiresAt: number
}

/** Who is asking, as the bus sees it. */
export interface WhoView {
  readonly via: 'desktop' | 'credentials' | 'browser' | 'key'
  readonly rights: readonly Right[]
}

/** Something about access that happened: who did what, when, from where. */
export interface AuditView {
  readonly n: number
  readonly at: number
  /** The trail of another version may hold others. */
  readonly event: AuditEvent
  /** `desktop`, `password`, `browser <name>`, `key <id>`, `headless`; empty for a stranger. */
  readonly actor: string
  /** Empty where it was this machine's own app. */
  readonly address: string
  /** What it was done to: the id of a key, the name of a device or a setting. */
  readonly subject: string
  /** One more fact, as a short text without secrets; empty where there is none. */
  readonly detail: string
}

export type AuditEvent =
  | 'bus.started'
  | 'login'
  | 'login.failed'
  | 'logout'
  | 'session.ended'
  | 'key.created'
  | 'key.changed'
  | 'key.revoked'
  | 'key.rotated'
  | 'secret.revealed'
  | 'password.changed'
  | 'settings.changed'
  | 'sharing.started'
  | 'sharing.stopped'
  | 'identity.replaced'
  | 'pairing.started'
  | 'pairing.asked'
  | 'pairing.allowed'
  | 'pairing.refused'
  | 'pairing.expired'
  | 'pairing.wrong'
  | 'bus.paused'
  | 'bus.resumed'
  | 'bus.purged'
  | 'data.exported'
  | 'data.imported'
  | 'import.started'
  | 'import.stopped'
  | 'import.failed'
  | 'backup.made'
  | 'backup.restored'

export interface AuditPage {
  /** Newest first. */
  readonly entries: readonly AuditView[]
  /** Goes on behind the last one; null at the end. */
  readonly next: number | null
}

/** A request whose signature the bus refused: what it signed over itself, and what may have gone wrong. */
export interface SignatureFailureView {
  readonly at: number
  readonly address: string
  /** Public id of the key. */
  readonly key: string
  readonly method: string
  /** Without the query, which may hold a key. */
  readonly path: string
  /** The refusal, as the client got it. */
  readonly message: string
  /** Lines that the bus signed over; the body as its size and digest. */
  readonly expected: readonly string[]
  /** The same lines as the client must have signed over, where a usual mistake explains its signature. */
  readonly found: readonly string[] | null
  /** The first line that differs, and the first character in it, both counted from 1; null where nothing is known. */
  readonly difference: { readonly line: number; readonly column: number } | null
  /** What is wrong in plain words, and what to do. */
  readonly text: string
  readonly next: string
}
