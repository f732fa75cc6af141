import { randomBytes } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { tlsFetch, type TlsOptions } from '../../client/index.ts'
import { DECISION_WAIT, type PairingAllowed, type PairingAsk, type PairingWaiting } from '../../../shared/pairing.ts'
import { deviceProof, isBusProof, proofKey } from '../../../shared/pairing-proof.ts'
import { lookAt } from '../bus/peer.ts'
import { fetchWith } from '../bus/trust.ts'
import { CommandError, EXIT } from '../exit.ts'
import { readAllowed } from './allowed.ts'
import { PairingWire, unreachable } from './wire.ts'

/** Milliseconds before asking again after an answer that got lost. */
const PAUSE_MS = 1_000

/** What lets one in, and what one calls oneself. */
export interface Credentials {
  /** As readCode gives it. */
  readonly code: string
  readonly name: string
}

/** A request that the bus has taken. */
export interface Pending {
  readonly wire: PairingWire
  /** The pin that was seen there; undefined over plain HTTP. */
  readonly pin: string | undefined
  readonly waiting: PairingWaiting
}

/** Asks a bus that is known, or that is on this very machine: the code is simply said. Throws CommandError. */
export async function askKnown(
  url: string,
  trust: TlsOptions | undefined,
  { code, name }: Credentials,
  signal: AbortSignal
): Promise<Pending> {
  const wire = new PairingWire(url, fetchWith(trust), signal)
  const pin = url.startsWith('https:') ? await pinAt(url, signal) : undefined
  const ask: PairingAsk = { code, name, kind: 'worker', wait: 0 }
  return { wire, pin, waiting: await wire.post<PairingWaiting>('/pair', ask) }
}

/**
 * Asks whoever answers at an address, by a proof that tells nothing to somebody who does not know the code; and believes that
 * it is the bus only when that proves that it knows the code, and that the pin seen here is its own. Throws CommandError.
 */
export async function askUnknown(url: string, { code, name }: Credentials, signal: AbortSignal): Promise<Pending> {
  const pin = await pinAt(url, signal)
  // From here on to the holder of this key only, whoever it is.
  const wire = new PairingWire(url, tlsFetch({ pin }), signal)
  const pairing = String((await wire.get<{ readonly pairing: unknown }>('/pair')).pairing)
  const key = await proofKey(code, pairing, pin)
  const nonce = randomBytes(16).toString('hex')
  const ask: PairingAsk = { pairing, nonce, proof: await deviceProof(key, nonce, name), name, kind: 'worker', wait: 0 }
  const waiting = await wire.post<PairingWaiting>('/pair', ask)
  if (await isBusProof(key, String(waiting.proof), nonce)) return { wire, pin, waiting }
  const problem = `What answers at ${url} does not know the code: it is not the bus that shows it.`
  const cure = 'Somebody may be in between. See whether the address is right, and pair by the pin that the bus shows.'
  throw new CommandError(EXIT.refused, problem, cure)
}

/** The pin of whoever answers at an address. */
async function pinAt(url: string, signal: AbortSignal): Promise<string> {
  try {
    return (await lookAt(url, undefined, signal)).pin
  } catch (error) {
    signal.throwIfAborted()
    throw unreachable(url, error)
  }
}

/** Waits until somebody has decided on the bus. Throws CommandError when it is refused, and when nobody does in time. */
export async function decisionOf({ wire, pin, waiting }: Pending, signal: AbortSignal): Promise<PairingAllowed> {
  const question = { request: waiting.request, token: waiting.token, wait: DECISION_WAIT.max }
  const end = performance.now() + waiting.expires_in * 1000
  for (;;) {
    try {
      const answer = await wire.post<{ readonly status: string }>('/pair/wait', question, question.wait)
      if (answer.status === 'allowed') return readAllowed(answer, { url: wire.url, pin })
    } catch (error) {
      // What was lost can be asked for again.
      const mayPass = error instanceof CommandError && error.exitCode === EXIT.unreachable
      if (!mayPass || performance.now() > end) throw error
      await pause(PAUSE_MS, undefined, { signal })
    }
  }
}
