import { readPairingHash } from '../text/pairing-hash.ts'

/**
 * The pairing code that this page was opened with, as a phone reads it from the QR code. It leaves the address at once, so that
 * neither the browser's history nor a bookmark keeps it.
 */
export class PairingLink {
  /** null for a page that was opened in another way, and once it was used. */
  code = $state.raw<string | null>(null)
  /** That of the bus that the link is of. */
  pin = $state.raw<string | null>(null)
  /** The fingerprint of that bus's root certificate. */
  root = $state.raw<string | null>(null)

  constructor() {
    this.#take()
    // A tab that is open already gets it as a change of its hash.
    addEventListener('hashchange', () => this.#take())
  }

  #take(): void {
    const read = readPairingHash(location.hash)
    if (read === null) return
    history.replaceState(history.state, '', location.pathname + location.search)
    this.code = read.code
    this.pin = read.pin
    this.root = read.root
  }
}
