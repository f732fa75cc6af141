import type { BusStatus, SecretView } from '../../../shared/control/views.ts'

/** Lines for a shell, ready to paste. They read secrets from where they lie; none is ever written into them. */

/** A text as one word of a POSIX shell. */
export function shellWord(text: string): string {
  return /^[A-Za-z0-9_./:@%+=,-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`
}

/**
 * The same JSON with escapes for what is seen otherwise than it is written, and for what a terminal that it is pasted
 * into takes for a key: with enough of DEL a publisher's goal would rub out the quote before it and be a command.
 */
export function pasteableJson(json: string): string {
  return json.replace(
    /[\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
  )
}

/** The bus's address as this browser or app sees it. */
export function busUrl(status: BusStatus): string {
  const { location, intentBus } = globalThis as { readonly location?: { readonly origin: string }; readonly intentBus?: object }
  if (location !== undefined && intentBus === undefined) return location.origin
  return status.listener?.state === 'listening' ? status.listener.url : 'http://127.0.0.1:7610'
}

/**
 * The bus's address for programs that are run where its secrets lie. A page that came over the bus's own certificate has
 * another one, which such programs do not trust.
 */
export function programUrl(status: BusStatus): string {
  const seen = busUrl(status)
  const { listener, sharing } = status
  const isShared = seen.startsWith('https:') && sharing.url !== null && new URL(seen).port === new URL(sharing.url).port
  return isShared && listener?.state === 'listening' ? listener.url : seen
}

/** A word of a shell that reads a secret where it is kept; null where no command can. */
export function readSecretWord(secret: SecretView | null): string | null {
  if (secret?.in === 'file') return `"$(cat ${shellWord(secret.where)})"`
  if (secret?.in === 'environment') return `"$${secret.where}"`
  return null
}

/** Sets URL and KEY, which the lines below use. */
export function setupLines(status: BusStatus): string {
  return `URL=${shellWord(programUrl(status))}\nKEY=${readSecretWord(status.mainKey) ?? "'paste the main key here'"}`
}

/** `payload`: JSON text. */
export function publishLine(goal: string, payload: string): string {
  return `curl -s "$URL/intent" -H "X-API-KEY: $KEY" \\
  -d ${shellWord(`{"goal":${JSON.stringify(goal)},"payload":${payload}}`)}`
}

/** Waits for an intent of a goal, and keeps its id and claim token. */
export function claimLines(goal: string): string {
  return `CLAIMED="$(curl -s -X POST "$URL/claim?goal=${encodeURIComponent(goal)}" -H "X-API-KEY: $KEY")"
echo "$CLAIMED"
ID="$(echo "$CLAIMED" | sed 's/.*"id":"\\([^"]*\\)".*/\\1/')"
TOKEN="$(echo "$CLAIMED" | sed 's/.*"claim_token":"\\([^"]*\\)".*/\\1/')"`
}

/** Settles what `claimLines` claimed. `result`: JSON text. */
export function fulfilLine(result: string): string {
  const rest = result.replaceAll("'", `'\\''`)
  return `curl -s "$URL/fulfill/$ID" -H "X-API-KEY: $KEY" \\
  -d '{"claim_token":"'"$TOKEN"'","result":${rest}}'`
}
