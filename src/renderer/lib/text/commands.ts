import type { BusStatus, SecretView } from '../../../shared/control/status-views.ts'
import { herePlace, mainKeyAt, type BusPlace } from './places.ts'

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

/** A word of a shell that reads a secret where it is kept; null where no command can. */
export function readSecretWord(secret: SecretView | null): string | null {
  if (secret?.in === 'file') return `"$(cat ${shellWord(secret.where)})"`
  if (secret?.in === 'environment') return `"$${secret.where}"`
  return null
}

/**
 * Sets URL and KEY, and `bus`, which is curl that presents the key: by its standard input, for whatever stands on a command line
 * is seen by every user of the machine. `key`: a word of the shell.
 */
export function shellSetup({ url, pin }: BusPlace, key: string): string {
  const lines = [`URL=${shellWord(url)}`, `KEY=${key}`]
  // -k only keeps curl from asking authorities; the pin is checked before anything is sent.
  return pin === null ? [...lines, busFunction()].join('\n') : [...lines, `PIN=${shellWord(pin)}`, busFunction('-k --pinnedpubkey "$PIN"')].join('\n')
}

/** `bus`, as `shellSetup` has it. `trust`: options by which curl knows the bus. */
export function busFunction(trust = ''): string {
  return `bus() { printf 'X-API-KEY: %s\\n' "$KEY" | curl -s ${trust === '' ? '' : `${trust} `}-H @- "$@"; }`
}

/** Sets up what the lines below use, with the main key. */
export function setupLines(status: BusStatus): string {
  const place = herePlace(status)
  return shellSetup(place, readSecretWord(mainKeyAt(place, status)) ?? "'paste the main key here'")
}

/** `payload`: JSON text. */
export function publishLine(goal: string, payload: string): string {
  return `bus "$URL/intent" \\
  -d ${shellWord(`{"goal":${JSON.stringify(goal)},"payload":${payload}}`)}`
}

/** Waits for an intent of a goal, and keeps its id and claim token. */
export function claimLines(goal: string): string {
  return `CLAIMED="$(bus -X POST "$URL/claim?goal=${encodeURIComponent(goal)}")"
echo "$CLAIMED"
ID="$(echo "$CLAIMED" | sed 's/.*"id":"\\([^"]*\\)".*/\\1/')"
TOKEN="$(echo "$CLAIMED" | sed 's/.*"claim_token":"\\([^"]*\\)".*/\\1/')"`
}

/** Settles what `claimLines` claimed. `result`: JSON text. */
export function fulfilLine(result: string): string {
  const rest = result.replaceAll("'", `'\\''`)
  return `bus "$URL/fulfill/$ID" \\
  -d '{"claim_token":"'"$TOKEN"'","result":${rest}}'`
}

/** Fetches a file that a bus hands out to everybody, from the bus that is known by its pin or from nobody. */
export function downloadLine(url: string, pin: string, file: string): string {
  // -k only keeps curl from asking authorities; the pin is checked before anything is sent.
  return `curl -sS -k --pinnedpubkey ${shellWord(pin)} -O ${shellWord(`${url}/${file}`)}`
}
