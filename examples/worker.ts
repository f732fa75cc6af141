/**
 * A worker for Intent Bus: claims intents of one goal, runs one of the actions below for each, and settles it.
 * It needs Node 22.18 or later and the bus's client, `intent-bus-client`.
 *
 *     Run it:   node worker.ts
 *     Stop it:  Ctrl+C, and once more if the running action need not finish
 *
 * A payload chooses an action by its name, {"action": "disk"}, and gives it data. No part of it ever becomes a command.
 */
import { mkdirSync } from 'node:fs'
import { statfs } from 'node:fs/promises'
import { homedir, hostname } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { IntentBusAuthError, IntentClient, SettledFile, SettledIds, type Handler } from 'intent-bus-client/node'

// ---- Configuration --------------------------------------------------------------------------------------------------

const BUS_URL = process.env.INTENT_BUS_URL || 'http://127.0.0.1:7610'
const GOAL = 'greet'
const NAMESPACE = 'default'
// The key: this one, or if empty what INTENT_API_KEY holds, or else what stands in KEY_FILE.
const API_KEY = ''
const KEY_FILE = join(homedir(), '.apikey')
// The pin of a bus that is shared over HTTPS, sha256//...; or if empty what INTENT_BUS_PIN or INTENT_BUS_CA says.
const BUS_PIN = ''
// What intents came to; one that comes again is settled with it. Workers that run at the same time need a file each.
const STATE_FILE = join(process.env.XDG_STATE_HOME ?? join(homedir(), '.local', 'state'), 'intent-bus', 'settled.jsonl')
// Seconds that a running action has to finish when the worker is told to stop.
const STOP_SECONDS = 10

// ---- Actions: all that this worker can do ---------------------------------------------------------------------------
// What an action returns is the result. What it throws fails the intent, with its message as the reason. The signal is
// aborted when it should stop, because the lease is lost or the worker ends.

const ACTIONS: Readonly<Record<string, Handler>> = {
  echo: (payload) => payload,

  async disk() {
    const { bsize, blocks, bavail } = await statfs(homedir())
    return { total: blocks * bsize, free: bavail * bsize }
  },

  /** {"action": "wait", "seconds": 90} */
  async wait(payload, { signal }) {
    const { seconds } = payload as { seconds?: unknown }
    const isFit = typeof seconds === 'number' && seconds >= 0 && seconds <= 3600
    if (!isFit) throw new Error('seconds must be a number from 0 to 3600.')
    await pause(seconds * 1_000, undefined, { signal })
    return { waited: seconds }
  }
}

/** The action that the payload names, or `echo` when it names none. */
function choose(payload: unknown): Handler {
  const { action: name = 'echo' } = (payload ?? {}) as { action?: unknown }
  if (typeof name === 'string' && Object.hasOwn(ACTIONS, name)) return ACTIONS[name]!
  throw new Error(`Unknown action. This worker knows: ${Object.keys(ACTIONS).join(', ')}.`)
}

// ---- The worker: the client keeps leases, waits at the bus, and polls one that does not know of waiting -------------

function log(text: string): void {
  console.log(`${new Date().toISOString()} ${text}`)
}

async function run(): Promise<void> {
  const apiKey = API_KEY || process.env.INTENT_API_KEY || undefined
  // What actions start need not know it.
  delete process.env.INTENT_API_KEY
  mkdirSync(dirname(STATE_FILE), { recursive: true, mode: 0o700 })
  const tls = BUS_PIN ? { pin: BUS_PIN } : undefined
  const client = new IntentClient({ baseUrl: BUS_URL, apiKey, keyFile: KEY_FILE, tls, workerId: hostname().slice(0, 64) })
  const worker = client.worker({
    goal: GOAL,
    namespace: NAMESPACE,
    handler: (payload, context) => choose(payload)(payload, context),
    settled: new SettledIds({ store: new SettledFile(STATE_FILE) }),
    onClaim: ({ id }) => log(`claimed ${id}`),
    onSettled: (outcome, { id }) => log(`${outcome.status} ${id}${outcome.status === 'failed' ? `: ${outcome.error.message}` : ''}`),
    onError: ({ message }, intent) => log(intent === undefined ? message : `${intent.id}: ${message}`)
  })
  const stop = (): void => {
    log('stopping')
    void worker.stop({ timeout: STOP_SECONDS })
  }
  // The second signal finds no listener, and ends the program.
  process.once('SIGINT', stop).once('SIGTERM', stop)
  log(`asking ${BUS_URL} for ${GOAL}`)
  await worker.run()
  log('stopped')
}

run().catch((error: Error) => {
  const cure = 'Set INTENT_API_KEY to the right key, or put it into KEY_FILE; the interface has keys under Keys.'
  const paired = 'On a machine that is paired with the bus, run this first: eval "$(intent-bus buses env)"'
  console.error(error instanceof IntentBusAuthError ? `${error.message} ${cure} ${paired}` : error.message)
  process.exitCode = 2
})
